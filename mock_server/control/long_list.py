"""Encode answers with long lists in pieces, so that other requests are served in between."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from secrets import token_hex
from typing import TypeVar, cast

import msgspec

SLICE_S = 0.005  # Other requests have their turn after this time.
_PIECE = 20  # This number of members is encoded and redacted together.

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


async def encoded(answer: object, redact: Callable[[bytes], bytes]) -> bytes:
    """Return an answer as JSON, redacted. Its long lists are encoded in pieces."""
    lists: list[_LongList] = []
    mark = token_hex()

    def replaced(value: object) -> str:
        if not isinstance(value, _LongList):
            raise TypeError(f"{type(value).__name__} cannot be encoded")
        lists.append(value)
        return mark

    rest = redact(msgspec.json.encode(answer, enc_hook=replaced))
    parts = []
    for each in lists:
        before, _, rest = rest.partition(f'"{mark}"'.encode())
        pieces = [piece async for piece in _pieces(each.items, redact)]
        parts += [before, b"[", b",".join(pieces), b"]"]
    return b"".join([*parts, rest])


async def _pieces(
    items: Iterator[object], redact: Callable[[bytes], bytes]
) -> AsyncIterator[bytes]:
    """Yield members as JSON, some of them together. Other requests are served in between."""
    now_s = asyncio.get_running_loop().time
    end_s = now_s() + SLICE_S
    while piece := list(islice(items, _PIECE)):
        yield redact(b",".join(map(msgspec.json.encode, piece)))
        if now_s() >= end_s:
            await asyncio.sleep(0)
            end_s = now_s() + SLICE_S
