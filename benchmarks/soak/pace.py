"""Limit how often something happens."""

import asyncio
import time


class Pace:
    """Gives turns at a rate until an instant. Turns that nobody took in time are lost."""

    def __init__(self, per_s: float, *, until_s: float) -> None:
        self.until_s = until_s  # Of `time.monotonic`.
        self._interval_s = 1 / per_s
        self._next_s = time.monotonic()

    async def next(self) -> bool:
        """Wait for the next turn. Return False if there is none."""
        now_s = time.monotonic()
        turn_s = max(now_s, self._next_s)
        self._next_s = turn_s + self._interval_s
        if turn_s >= self.until_s:
            return False
        await asyncio.sleep(turn_s - now_s)
        return True
