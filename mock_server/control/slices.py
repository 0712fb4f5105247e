"""Do long work in slices, so that other requests are served in between."""

import asyncio
from collections import deque
from collections.abc import Generator
from typing import TypeVar
from weakref import WeakKeyDictionary

SLICE_S = 0.005  # Other requests have their turn after this time.
_FIRST_SLICE_S = 0.001  # Many pieces of work may begin in the same turn of the event loop.

T = TypeVar("T")


class _Queue:
    """Pieces of work that wait for their next slice. One begins in each turn of the event loop.

    If all of them had a slice in each turn, a hundred long answers would stop other requests.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for a turn of the loop in which no other piece of work begins a slice."""
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append(future)
        if len(self._waiting) == 1:
            loop.call_soon(self._wake_one, loop)
        await future

    def _wake_one(self, loop: asyncio.AbstractEventLoop) -> None:
        future = self._waiting.popleft()
        if not future.done():  # It is cancelled if its request is.
            future.set_result(None)
        if self._waiting:
            loop.call_soon(self._wake_one, loop)


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()


class Slices:
    """The slices of one piece of work."""

    def __init__(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._end_s = loop.time() + _FIRST_SLICE_S
        self._queue = _queues.get(loop) or _queues.setdefault(loop, _Queue())

    async def pause(self) -> None:
        """Let other requests be served if the slice is over. Call this every millisecond or so."""
        if self._loop.time() >= self._end_s:
            await self.next()

    async def next(self) -> None:
        """Wait for the next slice. Call this before a step that takes many milliseconds."""
        await self._queue.turn(self._loop)
        self._end_s = self._loop.time() + SLICE_S


async def in_slices(steps: Generator[None, None, T]) -> T:
    """Run a generator to its end, and return what it returns.

    Other requests are served before the first step, which may be long.
    """
    slices = Slices()
    await slices.next()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        await slices.pause()
