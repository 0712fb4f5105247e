"""Let a client wait until others have done some steps, without measuring time."""

import asyncio


class Progress:
    def __init__(self, clients: int) -> None:
        self._busy = clients  # Those that neither wait here nor have finished.
        self._steps = 0
        self._waiting: dict[asyncio.Future[None], int] = {}

    def note(self) -> None:
        """Count one more step."""
        self._steps += 1
        self._release()

    def leave(self) -> None:
        """Note that a client makes no more steps."""
        self._busy -= 1
        self._release()

    async def wait(self, steps: int) -> None:
        """Wait until others have done so many steps, or cannot do more because all of them wait."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = self._steps + steps
        self._busy -= 1
        self._release()
        try:
            await waiter
        finally:
            self._busy += 1
            del self._waiting[waiter]

    def _release(self) -> None:
        for waiter, step in self._waiting.items():
            if not waiter.done() and (step <= self._steps or self._busy <= 0):
                waiter.set_result(None)
