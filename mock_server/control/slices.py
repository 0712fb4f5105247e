"""Do long work in slices, so that other requests are served in between."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

SLICE_S = 0.005  # Other requests have their turn after this time.

T = TypeVar("T")


class Slices:
    """The slices of one piece of work."""

    def __init__(self) -> None:
        self._now_s = asyncio.get_running_loop().time
        self._end_s = self._now_s() + SLICE_S

    async def pause(self) -> None:
        """Let other requests be served if the slice is over. Call this every millisecond or so."""
        if self._now_s() >= self._end_s:
            await asyncio.sleep(0)
            self._end_s = self._now_s() + SLICE_S


async def in_slices(steps: Generator[None, None, T]) -> T:
    """Run a generator to its end, and return what it returns."""
    slices = Slices()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        await slices.pause()
