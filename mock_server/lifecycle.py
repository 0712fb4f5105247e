"""The lifecycle of a server: start, readiness and stop."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette


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

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Start the server, keep it ready during the block, and stop it."""
        await self._start()
        self.not_ready = None
        yield
        self.begin_stopping()
        for stop in self._stop:
            await stop()
