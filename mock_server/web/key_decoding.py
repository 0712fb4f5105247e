"""Decode text that is percent-encoded or escaped as JSON, and find positions in the original."""

import re
from binascii import a2b_qp
from bisect import bisect_left
from collections.abc import Iterable, Iterator

Span = tuple[int, int]

_MOST_ROUNDS = 3  # An attacker may encode a text more often, so there must be a limit.
_HEXADECIMAL = b"0123456789ABCDEFabcdef"
_BACKSLASH = ord("\\")
_QUOTE = ord('"')

# Bytes that no key contains stand for parts of the text.
_ENCODED = b"\0"  # A decoded byte, in `_percent_sources`.
_PAIR = b"\x01"  # Two backslashes.
_ESCAPED_QUOTE = b"\x02"
_EQUALS = b"\x03"
_PERCENT = b"\x04"  # A percent sign before another one.
_OTHER = 5
_END = bytes([_OTHER])


def _table(changes: dict[int, int]) -> bytes:
    return bytes(changes.get(byte, byte) for byte in range(256))


# `a2b_qp` decodes quoted-printable text: "=41" is "A". It skips a line break after "=".
_RESERVED = dict.fromkeys(b"\0\1\2\3\4\r\n", _OTHER) | {ord("="): _EQUALS[0]}
_FOR_DECODER = _table(_RESERVED)
_FOR_POSITIONS = _table(_RESERVED | dict.fromkeys(_HEXADECIMAL, ord("0")))
_RAW = _table({_ESCAPED_QUOTE[0]: _QUOTE})
# In JSON, a quotation mark that is not escaped is no part of a text.
_JSON = _table({_ESCAPED_QUOTE[0]: _QUOTE, _QUOTE: _OTHER})
# The decoder leaves "=" for each "%" that encodes nothing.
_DECODED = _table({ord("="): ord("%"), _PERCENT[0]: ord("%"), _EQUALS[0]: ord("=")})

# What `decoded` replaces: by nothing if it ends with a backslash, otherwise by one byte.
_ESCAPE = re.compile(rb"%\\*[0-9A-Fa-f]\\*[0-9A-Fa-f]|\\+(?:u00(?:\\*[0-9A-Fa-f]\\*[0-9A-Fa-f])?)?")


def decoded(text: bytes, *, is_json: bool = False) -> bytes:
    """Return the text without backslashes, and with all other escapes decoded once."""
    text = text.translate(_FOR_DECODER)
    if b"\\" in text:
        text = text.replace(b"\\\\", _PAIR).replace(b'\\"', _ESCAPED_QUOTE)
        text = text.replace(b"\\u00", b"%").replace(_PAIR + b"u00", b"%")
    text = text.translate(_JSON if is_json else _RAW, b"\\" + _PAIR)
    if _is_percent_encoded(text):
        text = _percent_decoded(text.replace(b"%3D", _EQUALS).replace(b"%3d", _EQUALS))
    return text.translate(_DECODED)


def rounds(text: bytes, *, is_json: bool) -> Iterator[list[bytes]]:
    """Yield all forms of the text after each round of decoding, from the original to the last."""
    texts = [text, decoded(text, is_json=is_json)]
    yield texts
    for _ in range(_MOST_ROUNDS - 1):
        if b"\\" not in texts[-1] and not _is_percent_encoded(texts[-1]):
            break
        texts.append(decoded(texts[-1]))
        yield texts


def sources(texts: list[bytes], spans: list[Span]) -> list[Span]:
    """Return where spans of the last text are in the first one, including their escapes."""
    for text in texts[-2::-1] if spans else ():
        found = sorted({position for span in spans for position in span})
        find = _escape_sources if b"\\" in text else _percent_sources
        position = dict(zip(found, find(text, found), strict=True))
        spans = [(position[start], position[end]) for start, end in spans]
    return spans


def _is_percent_encoded(text: bytes) -> bool:
    # A regular expression would take three times as long for a text of percent signs.
    return b"%00" in text.translate(_FOR_POSITIONS)


def _percent_decoded(text: bytes) -> bytes:
    # Of several percent signs in a row, only the last one can encode something.
    text = text.replace(b"%%", _PERCENT + b"%").replace(b"%%", _PERCENT + b"%")
    # The decoder drops "=" at the end, so the text gets one more byte.
    return a2b_qp(text.replace(b"%", b"=") + _END)[:-1]


def _percent_sources(text: bytes, positions: Iterable[int]) -> Iterator[int]:
    """Yield positions in a text without backslashes. A step for each escape would take longer."""
    marked = _percent_decoded(text.translate(_FOR_POSITIONS))
    done, escapes = 0, 0
    for position in positions:
        escapes += marked.count(_ENCODED, done, position)
        done = position
        yield position + 2 * escapes


def _escape_sources(text: bytes, positions: Iterable[int]) -> Iterator[int]:
    places, removed, total = [], [0], 0
    for escape in _ESCAPE.finditer(text):
        start, end = escape.span()
        places.append(start - total)
        total += end - start - (text[end - 1] != _BACKSLASH)
        removed.append(total)
    for position in positions:
        yield position + removed[bisect_left(places, position)]
