"""Start, readiness and stop of a server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette


class Lifecycle:
    """`not_ready` says why the server does not serve, and is None while it does."""

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
        """Stop being ready, and end what would wait for ever. Any thread may call this."""
        self.not_ready = "the server is stopping"
        self._begin_stopping()

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Start, serve as long as the block lasts, and stop."""
        await self._start()
        self.not_ready = None
        yield
        self.begin_stopping()
        for stop in self._stop:
            await stop()
