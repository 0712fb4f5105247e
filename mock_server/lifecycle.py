"""The lifecycle of a server: start, readiness and stop."""

import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Literal

from starlette.types import Receive, Send


class Lifecycle:
    """Starts and stops a server. `not_ready` is the reason why it is not ready, or None."""

    def __init__(
        self,
        *,
        start: Callable[[], Awaitable[None]],
        begin_stopping: Callable[[], None],
        stop: Sequence[Callable[[], Awaitable[None]]],
    ) -> None:
        self.not_ready: str | None = "the server is starting"
        self._start = start
        self._begin_stopping = begin_stopping
        self._stop = stop

    def begin_stopping(self) -> None:
        """Mark the server as not ready and end open event streams. Any thread may call this."""
        self.not_ready = "the server is stopping"
        self._begin_stopping()

    async def run(self, receive: Receive, send: Send) -> None:
        """Start and stop the server when the messages of the ASGI lifespan say so."""
        await receive()
        await _report("startup", self._started(), send)
        await receive()
        await _report("shutdown", self._stopped(), send)

    async def _started(self) -> None:
        await self._start()
        self.not_ready = None

    async def _stopped(self) -> None:
        self.begin_stopping()
        async with AsyncExitStack() as steps:  # It does every step, even if one fails.
            for stop in reversed(self._stop):
                steps.push_async_callback(stop)


async def _report(step: Literal["startup", "shutdown"], done: Awaitable[None], send: Send) -> None:
    """Send that a step is complete, or that it failed and why."""
    try:
        await done
    except BaseException:
        await send({"type": f"lifespan.{step}.failed", "message": traceback.format_exc()})
        raise
    await send({"type": f"lifespan.{step}.complete"})
