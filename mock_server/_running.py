"""Run a mock server in this process, on a free port of the loopback address."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from threading import Event, Thread

import msgspec

from mock_server.http_server import HttpServer
from mock_server.server import listen, uvicorn_config
from mock_server.settings import Settings
from mock_server.wiring import MockServer

_TIMEOUT_S = 30.0  # The limit for the start, and for the stop.


class RunningServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that accepts requests; clients use `base_url` as APIXO_BASE_URL."""

    base_url: str
    seed: int


class StartupError(Exception):
    """The server did not start; the cause says why."""


@contextmanager
def running(settings: Settings | None = None) -> Iterator[RunningServer]:
    """Serve in a thread until the block ends. `host`, `port` and TLS of the settings are ignored.

    Raise InvalidValue for settings that name an invalid file, ListenError if no port can be used,
    and StartupError if the server does not start.
    """
    listener = listen("127.0.0.1", 0)
    try:
        port = listener.getsockname()[1]
        app = MockServer(
            msgspec.structs.replace(
                settings or Settings(),
                host="127.0.0.1",
                port=port,
                tls=False,
                tls_cert=None,
                tls_key=None,
            )
        )
        app.control.plane()  # Imported now, because a test may patch what an import needs.
        has_started_or_failed = Event()
        server = HttpServer(uvicorn_config(app), on_start=has_started_or_failed.set)
        errors: list[BaseException] = []

        def serve() -> None:
            try:
                server.run(sockets=[listener])
            except BaseException as error:  # noqa: BLE001  # The caller's thread raises it.
                errors.append(error)
            finally:
                has_started_or_failed.set()

        thread = Thread(target=serve, name=f"mock-server {app.settings.base_url}", daemon=True)
        thread.start()
        has_started_or_failed.wait(_TIMEOUT_S)
        if not server.started:
            raise StartupError(
                f"the mock server at {app.settings.base_url} did not start"
            ) from next(iter(errors), None)
        try:
            yield RunningServer(base_url=app.settings.base_url, seed=app.seed)
        finally:
            app.begin_stopping()
            server.should_exit = True
            thread.join(_TIMEOUT_S)
    finally:
        listener.close()


@asynccontextmanager
async def running_async(settings: Settings | None = None) -> AsyncIterator[RunningServer]:
    """Serve as `running` does, in a thread, so that a blocked event loop does not block the server.

    Raise the same errors as `running`.
    """
    stack = ExitStack()
    server = stack.enter_context(running(settings))
    try:
        yield server
    finally:
        # Stopping waits for open requests, and this event loop may have to finish them.
        await asyncio.to_thread(stack.close)
