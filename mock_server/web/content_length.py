"""The number in a `Content-Length` header that the HTTP parser has accepted."""


def content_length(value: bytes) -> int:
    """Return the number. It may have a space at its end, and thousands of zeros first.

    Python converts at most 4,300 digits.
    """
    return int(value.strip().lstrip(b"0") or b"0")
