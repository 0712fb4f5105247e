"""Run the application on a socket until a signal stops it."""

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from functools import partial
from typing import cast

import msgspec
import uvicorn

from mock_server.direct_protocol import DirectProtocol
from mock_server.early_signals import EARLY_SIGNALS
from mock_server.http_protocol import HttpProtocol
from mock_server.http_server import HttpConfig, HttpServer
from mock_server.logs import configure_logging
from mock_server.settings import Settings
from mock_server.tls import Tls, prepared_tls
from mock_server.web.direct import DirectPath
from mock_server.wiring import MockServer

log = logging.getLogger("mock_server")

_SHUTDOWN_S = 1
# Clients close idle connections earlier, so the server closes none while a submit arrives.
_KEEP_ALIVE_S = 75
_BACKLOG = 2048


class ListenError(Exception):
    """The server cannot listen on the address; the message says why."""


def run(settings: Settings, notices: list[str]) -> None:
    """Serve until SIGINT or SIGTERM. `notices` are logged as warnings.

    Raise InvalidValue for settings that name an invalid file, and ListenError if the address or
    port cannot be used.
    """
    configure_logging(settings.log_format, settings.log_level)
    EARLY_SIGNALS.clean_up()
    with prepared_tls(settings) as tls:
        _serve(settings, notices, tls)


def _serve(settings: Settings, notices: list[str], tls: Tls | None) -> None:
    listener = listen(settings.host, settings.port)
    app = MockServer(msgspec.structs.replace(settings, port=listener.getsockname()[1]))
    for notice in notices:
        log.warning("%s", notice)
    _raise_file_limit()
    gc.freeze()  # What has been imported stays, so collections need not look at it.

    def announce() -> None:
        log.info("seed %d; repeat this run with --seed %d", app.seed, app.seed)
        lines = [
            f"mock-server listening on {app.settings.base_url}",
            f"dashboard: {app.settings.browser_url}/_mock/",
        ]
        if tls is not None and tls.ca_file is not None:
            lines.append(f"CA certificate: {tls.ca_file}")
        # One write: a program that reads the first line only may close its end of the pipe then.
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        app.control.load_soon()

    def begin_stopping(number: signal.Signals) -> None:
        log.info("stopping on %s", number.name)
        app.begin_stopping()

    server = HttpServer(uvicorn_config(app, tls), on_start=announce, on_signal=begin_stopping)
    EARLY_SIGNALS.note_only()
    server.run(sockets=[listener])


def uvicorn_config(
    app: MockServer, tls: Tls | None = None, *, is_direct: bool = True
) -> uvicorn.Config:
    """Return the configuration with which uvicorn serves the application.

    Without `is_direct`, every request takes the ordinary way through ASGI.
    """
    return HttpConfig(
        app,
        tls_context=None if tls is None else tls.context,
        loop="auto",
        http=_protocol(app.direct if is_direct else None),
        ws="none",
        interface="asgi3",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )


def _protocol(direct: DirectPath | None) -> type[asyncio.Protocol]:
    if direct is None:
        return HttpProtocol
    # uvicorn only calls it, once for each connection, so a function will do.
    return cast("type[asyncio.Protocol]", partial(DirectProtocol, direct=direct))


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 chooses a free port. Raise ListenError."""
    try:
        # Python would encode a string with the codec idna, which is slow to import.
        name = host.encode() if host.isascii() else host
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ListenError(
            f"cannot listen on {host}:{port}: {reason}; set another address with --host or --port"
            " (--port 0 chooses a free port)"
        ) from error
    return listener


def _raise_file_limit() -> None:
    """Allow as many connections as the system does."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
