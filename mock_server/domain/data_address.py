"""Reads the content of a `data:` address (RFC 2397)."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

_SCHEME = "data:"


class DataTooLarge(ValueError):
    """The content of a data address is larger than allowed."""


def is_data_address(url: str) -> bool:
    return url[: len(_SCHEME)].lower() == _SCHEME


def decode(url: str, max_bytes: int) -> bytes:
    """Return the content; its media type is ignored.

    White space in base64 and missing `=` at its end are forgiven, as browsers do.  Raises
    ValueError with a sentence when the address cannot be decoded, and DataTooLarge when the content
    has more than `max_bytes` bytes; a hopelessly large one is refused before it is decoded.
    """
    if not is_data_address(url):
        raise ValueError("the address does not start with 'data:'")
    head, comma, payload = url[len(_SCHEME) :].partition(",")
    if not comma:
        raise ValueError("the data address has no comma before its content")
    is_base64 = head.lower().rstrip().endswith(";base64")
    if _least_size(payload, is_base64=is_base64) > max_bytes:
        raise _too_large(max_bytes)
    content = _unescaped(payload)
    if is_base64:
        content = _from_base64(content)
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    return content


def _least_size(payload: str, *, is_base64: bool) -> int:
    """Return a number of bytes that the content cannot be smaller than."""
    escapes = payload.count("%")
    if not is_base64:
        return len(payload) - 2 * escapes
    blanks = 3 * escapes + sum(payload.count(blank) for blank in " \t\n\r\f")
    return (len(payload) - blanks) * 3 // 4 - 2


def _unescaped(payload: str) -> bytes:
    try:
        return unquote_to_bytes(payload)
    except UnicodeEncodeError as error:
        raise ValueError("the data address contains a lone surrogate") from error


def _from_base64(text: bytes) -> bytes:
    text = text.translate(None, b" \t\n\r\f")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the data address is not valid base64: {error}") from error


def _too_large(max_bytes: int) -> DataTooLarge:
    return DataTooLarge(f"the data address holds more than {max_bytes} bytes")
