"""Count the turns of the event loop while it works."""

import asyncio
from collections.abc import Awaitable
from itertools import count
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """Counts the turns of the event loop. Its clock moves by 1 ms each time it is read.

    So the number of turns does not depend on the machine.
    """

    def __init__(self) -> None:
        self.count = 0
        readings = count()
        loop = asyncio.get_running_loop()
        loop.time = lambda: next(readings) / 1000  # type: ignore[method-assign]

    async def during(self, act: Awaitable[T]) -> T:
        counting = asyncio.create_task(self._count())
        try:
            return await act
        finally:
            counting.cancel()

    async def _count(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)
