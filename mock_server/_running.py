"""A mock server in this process, on a free port of the loopback address: for tests."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from threading import Event, Thread

import msgspec
import uvicorn

from mock_server.server import listen, uvicorn_config
from mock_server.settings import Settings
from mock_server.wiring import MockServer

_PATIENCE_S = 30.0


class RunningServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answers; `base_url` is what a client takes for APIXO_BASE_URL."""

    base_url: str
    seed: int


class DidNotStart(Exception):
    """The server thread ended before it could answer; the cause says why."""


@contextmanager
def running(settings: Settings | None = None) -> Iterator[RunningServer]:
    """Serve in a thread of its own until the block ends. The settings' host and port are not used.

    Raises InvalidValue, CannotListen, DidNotStart.
    """
    decided = Event()
    with _listening(settings or Settings(), decided.set) as (app, server, listener):
        failed: list[BaseException] = []

        def serve() -> None:
            try:
                server.run(sockets=[listener])
            except BaseException as error:  # noqa: BLE001  # the caller's thread raises it
                failed.append(error)
            finally:
                decided.set()

        thread = Thread(target=serve, name=f"mock-server {app.settings.base_url}", daemon=True)
        thread.start()
        decided.wait(_PATIENCE_S)
        if not server.started:
            raise DidNotStart(app.settings.base_url) from next(iter(failed), None)
        try:
            yield RunningServer(base_url=app.settings.base_url, seed=app.seed)
        finally:
            app.begin_stopping()
            server.should_exit = True
            thread.join(_PATIENCE_S)


@asynccontextmanager
async def running_async(settings: Settings | None = None) -> AsyncIterator[RunningServer]:
    """Serve as `running` does: a test that blocks its event loop does not hold up the server."""
    stack = ExitStack()
    server = stack.enter_context(running(settings))
    try:
        yield server
    finally:
        await asyncio.to_thread(stack.close)  # it waits for requests, perhaps of this very loop


class _Server(uvicorn.Server):
    """Says when it has started, and leaves signals to the program that it runs in."""

    def __init__(self, config: uvicorn.Config, when_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_started = when_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listening(
    settings: Settings, when_started: Callable[[], None]
) -> Iterator[tuple[MockServer, _Server, socket.socket]]:
    listener = listen("127.0.0.1", 0)
    try:
        port = listener.getsockname()[1]
        app = MockServer(msgspec.structs.replace(settings, host="127.0.0.1", port=port))
        yield app, _Server(uvicorn_config(app), when_started), listener
    finally:
        listener.close()
