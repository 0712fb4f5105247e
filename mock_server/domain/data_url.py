"""Decode the content of a `data:` URL (RFC 2397)."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

_SCHEME = "data:"


class DataTooLarge(ValueError):
    """The content of a data URL exceeds the size limit."""


def is_data_url(url: str) -> bool:
    return url[: len(_SCHEME)].lower() == _SCHEME


def decode(url: str, max_bytes: int) -> bytes:
    """Return the content of a data URL. The media type is ignored.

    Like browsers, accept white space in base64 and missing `=` at its end.
    Raise DataTooLarge if the content has more than `max_bytes` bytes; content that is clearly too
    large is not decoded. Raise ValueError with the reason if the URL is malformed.
    """
    if not is_data_url(url):
        raise ValueError('the URL must start with "data:"')
    head, comma, payload = url[len(_SCHEME) :].partition(",")
    if not comma:
        raise ValueError("the data URL must have a comma before its content")
    is_base64 = head.lower().rstrip().endswith(";base64")
    if _min_size(payload, is_base64=is_base64) > max_bytes:
        raise _too_large(max_bytes)
    content = _unquote(payload)
    if is_base64:
        content = _decode_base64(content)
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    return content


def _min_size(payload: str, *, is_base64: bool) -> int:
    """Return a lower bound of the content's size in bytes."""
    escapes = payload.count("%")
    if not is_base64:
        return len(payload) - 2 * escapes
    blanks = 3 * escapes + sum(payload.count(blank) for blank in " \t\n\r\f")
    return (len(payload) - blanks) * 3 // 4 - 2


def _unquote(payload: str) -> bytes:
    try:
        return unquote_to_bytes(payload)
    except UnicodeEncodeError as error:
        raise ValueError("the data URL contains an unpaired surrogate") from error


def _decode_base64(text: bytes) -> bytes:
    text = text.translate(None, b" \t\n\r\f")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the data URL is not valid base64: {error}") from error


def _too_large(max_bytes: int) -> DataTooLarge:
    return DataTooLarge(f"the data URL contains more than {max_bytes} bytes")
