"""Runs the application on a socket until a signal ends it."""

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import msgspec
import uvicorn

from mock_server.http_protocol import HttpProtocol
from mock_server.logs import configure_logging
from mock_server.settings import Settings
from mock_server.wiring import MockServer

log = logging.getLogger("mock_server")

_SHUTDOWN_S = 1
_KEEP_ALIVE_S = 75  # longer than clients keep theirs: none is closed while a submit comes in


class CannotListen(Exception):
    """The address or port cannot be used; one sentence says why."""


def run(settings: Settings, notices: list[str]) -> None:
    """Serve until SIGINT or SIGTERM. Raises InvalidValue, CannotListen."""
    configure_logging(settings.log_format)
    listener = listen(settings.host, settings.port)
    settings = msgspec.structs.replace(settings, port=listener.getsockname()[1])
    app = MockServer(settings)
    for notice in notices:
        log.warning("%s", notice)
    log.info("seed %d; repeat this run with --seed %d", app.seed, app.seed)
    _prepare_process()
    _Server(uvicorn_config(app), app=app).run(sockets=[listener])


def uvicorn_config(app: MockServer) -> uvicorn.Config:
    """Return how the application is served."""
    return uvicorn.Config(
        app,
        loop="auto",
        http=HttpProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotListen(
            f"cannot listen on {host}:{port}: {reason}; choose another with --host or --port"
            " (--port 0 takes a free one)"
        ) from error
    return listener


class _Server(uvicorn.Server):
    """Says on standard output when it serves, and ends with status 0 on a signal."""

    def __init__(self, config: uvicorn.Config, *, app: MockServer) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"mock-server listening on {self._app.settings.base_url}\n")
            sys.stdout.flush()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal, without raising it again afterwards as uvicorn would."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number)
        yield

    def _stop(self, number: int, frame: FrameType | None = None) -> None:
        log.info("stopping on %s", signal.Signals(number).name)
        self._app.begin_stopping()
        self.handle_exit(number, frame)


def _prepare_process() -> None:
    """Make room for a million tasks and a thousand connections."""
    gc.set_threshold(100_000, 50, 100)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
