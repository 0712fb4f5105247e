"""The number in a `Content-Length` header that the HTTP parser has accepted."""


def content_length(value: bytes) -> int:
    """Return the number. It may have thousands of zeros first, which `int` does not convert."""
    return int(value.lstrip(b"0") or b"0")
