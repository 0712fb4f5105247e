"""Encode answers with long lists in pieces, so that other requests are served in between."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from secrets import token_hex
from typing import TypeVar, cast

import msgspec

from mock_server.control.slices import Slices

# Members are encoded and redacted together, up to this number or size.
_PIECE = 20
_PIECE_BYTES = 16 * 1024

T = TypeVar("T")


class _LongList:
    """A list that is encoded later. `items` yields its members, once."""

    def __init__(self, items: Iterable[object]) -> None:
        self.items = iter(items)


def long_list(items: Iterable[T]) -> list[T]:
    """Return a list for a member of an answer. Only `encoded` can read it.

    Its members are made and encoded in pieces, so they must not depend on what may change.
    """
    return cast("list[T]", _LongList(items))


async def encoded(answer: object, redact: Callable[[bytes], bytes]) -> bytes | memoryview:
    """Return an answer as JSON, redacted. Its long lists are encoded in pieces."""
    lists: list[_LongList] = []
    mark = token_hex()

    def replaced(value: object) -> str:
        if not isinstance(value, _LongList):
            raise TypeError(f"{type(value).__name__} cannot be encoded")
        lists.append(value)
        return mark

    rest = redact(msgspec.json.encode(answer, enc_hook=replaced))
    if not lists:
        return rest
    shown = bytearray()  # Joining megabytes at the end would take milliseconds.
    for each in lists:
        before, _, rest = rest.partition(f'"{mark}"'.encode())
        shown += before
        shown += b"["
        separator = b""
        async for piece in _pieces(each.items, redact):
            shown += separator
            shown += piece
            separator = b","
        shown += b"]"
    shown += rest
    return memoryview(shown)


async def _pieces(
    items: Iterator[object], redact: Callable[[bytes], bytes]
) -> AsyncIterator[bytes]:
    """Yield members as JSON, some of them together. Other requests are served in between."""
    slices = Slices()
    piece: list[bytes] = []
    size = 0
    for item in items:
        member = msgspec.json.encode(item)
        piece.append(member)
        size += len(member)
        if len(piece) < _PIECE and size < _PIECE_BYTES:
            continue
        yield redact(b",".join(piece))
        piece, size = [], 0
        await slices.pause()
    if piece:
        yield redact(b",".join(piece))
