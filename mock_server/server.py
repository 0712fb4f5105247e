"""Run the application on a socket until a signal stops it."""

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import cast

import msgspec
import uvicorn

from mock_server.connection_limit import ConnectionLimit
from mock_server.direct_protocol import DirectProtocol
from mock_server.domain.errors import InvalidValue
from mock_server.domain.store_address import is_shared as is_shared_store
from mock_server.domain.store_address import without_secrets
from mock_server.early_signals import EARLY_SIGNALS
from mock_server.http_server import SHUTDOWN_S, HttpConfig, HttpServer
from mock_server.http_timeouts import TimedProtocol, Timeouts
from mock_server.logs import configure_logging
from mock_server.settings import Settings
from mock_server.supervisor import ParentLink, Supervisor, WorkersFailed
from mock_server.tls import Tls, prepared_tls
from mock_server.web.direct import DirectPath
from mock_server.wiring import MockServer

__all__ = ["ListenError", "WorkersFailed", "listen", "run", "serve_with_workers", "uvicorn_config"]

log = logging.getLogger("mock_server")

_BACKLOG = 2048
_SPREADS_CONNECTIONS = sys.platform == "linux"


class ListenError(Exception):
    """The server cannot listen on the address; the message says why."""


def run(settings: Settings, notices: list[str]) -> None:
    """Serve until SIGINT or SIGTERM. `notices` are logged as warnings.

    Raise InvalidValue for settings that contradict one another or name an invalid file, ListenError
    if the address or port cannot be used, and WorkersFailed if worker processes keep ending.
    """
    has_workers = settings.workers > 1
    if has_workers and not is_shared_store(settings.store):
        store = without_secrets(settings.store)
        raise InvalidValue(
            "--workers",
            f"must be 1 with --store {store} (got {settings.workers}); several workers need a store"
            " in Redis: --store redis://HOST:PORT/DB",
        )
    configure_logging(settings.log_format, settings.log_level, shows_process=has_workers)
    EARLY_SIGNALS.clean_up()
    with prepared_tls(settings) as tls:
        if has_workers:
            serve_with_workers(settings, notices, tls)
        else:
            _serve_alone(settings, notices, tls)


def serve_with_workers(settings: Settings, notices: list[str], tls: Tls | None) -> None:
    """Serve with several processes until SIGINT or SIGTERM. This one only supervises them."""
    listeners = _listen_together(settings.host, settings.port, settings.workers)
    settings = _at_port_of(listeners[0], settings)
    _allow_many_files()
    _tune_garbage_collection()

    def serve(number: int, link: ParentLink) -> None:
        for listener in {*listeners} - {listeners[number]}:
            listener.close()
        own = settings if number == 0 else msgspec.structs.replace(settings, restore=None)
        app = MockServer(own)
        _serve(app, listeners[number], tls, lambda: link.report_ready(_seed_of(app)), link)

    def announce(seed: str) -> None:
        for notice in notices:
            log.warning("%s", notice)
        _announce(settings, tls, seed)

    Supervisor(settings.workers, serve, announce).run()


def _serve_alone(settings: Settings, notices: list[str], tls: Tls | None) -> None:
    listener = listen(settings.host, settings.port)
    _allow_many_files()
    app = MockServer(_at_port_of(listener, settings))
    for notice in notices:
        log.warning("%s", notice)
    _tune_garbage_collection()
    _serve(app, listener, tls, lambda: _announce(app.settings, tls, _seed_of(app)))


def _serve(
    app: MockServer,
    listener: socket.socket,
    tls: Tls | None,
    on_ready: Callable[[], None],
    link: ParentLink | None = None,
) -> None:
    """Serve until a signal comes, or until the parent of this worker ends."""

    def begin() -> None:
        on_ready()
        app.control.load_soon()
        if link is not None:
            asyncio.get_running_loop().add_reader(link.parent_life, stop_without_parent)

    def stop_without_parent() -> None:
        asyncio.get_running_loop().remove_reader(cast("ParentLink", link).parent_life)
        log.error("the supervisor has ended; stopping this worker")
        server.handle_exit(signal.SIGTERM, None)

    def begin_stopping(number: signal.Signals) -> None:
        log.info("stopping on %s", number.name)
        app.begin_stopping()

    server = HttpServer(uvicorn_config(app, tls), on_start=begin, on_signal=begin_stopping)
    EARLY_SIGNALS.note_only()
    server.run(sockets=[listener])


def _seed_of(app: MockServer) -> str:
    """Return the seed as text; it is empty if the server is not ready."""
    return str(app.seed) if app.why_not_ready() is None else ""


def _announce(settings: Settings, tls: Tls | None, seed: str) -> None:
    if seed:
        log.info("seed %s; repeat this run with --seed %s", seed, seed)
    lines = [
        f"mock-server listening on {settings.base_url}",
        f"dashboard: {settings.browser_url}/_mock/",
    ]
    if tls is not None and tls.ca_file is not None:
        lines.append(f"CA certificate: {tls.ca_file}")
    try:
        # This is one write, because a program may close the pipe when it has read the first line.
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except OSError as error:  # The server is useful without these lines.
        log.warning("cannot write the address to standard output: %s", error.strerror)
    if not seed:
        log.warning("not ready: requests get status 503 until the problem above is solved")


def _allow_many_files() -> None:
    """Allow as many connections as the system does. The limits of the server depend on it."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def _tune_garbage_collection() -> None:
    """Make garbage collections short, and exempt imported modules from them."""
    gc.freeze()  # Imported modules stay in memory, so collections need not examine them.
    # A collection stops all requests. It examines the objects that were made since the last one,
    # which takes about 5 ms for 20,000. Collections of older objects are as rare as before.
    gc.set_threshold(20_000, 250, 100)


def _at_port_of(listener: socket.socket, settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, port=listener.getsockname()[1])


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
        http=_protocol(app.settings, app.direct if is_direct else None),
        ws="none",
        interface="asgi3",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


def _protocol(settings: Settings, direct: DirectPath | None) -> type[asyncio.Protocol]:
    timeouts, limit = Timeouts.of(settings), ConnectionLimit.of_process()
    make = (
        partial(TimedProtocol, timeouts=timeouts, limit=limit)
        if direct is None
        else partial(DirectProtocol, direct=direct, timeouts=timeouts, limit=limit)
    )
    # uvicorn only calls it, once for each connection, so a function will do.
    return cast("type[asyncio.Protocol]", make)


def _listen_together(host: str, port: int, number: int) -> list[socket.socket]:
    """Return a listening socket for each worker, all at one address. Raise ListenError.

    Linux spreads new connections over such sockets. Elsewhere, the workers share one.
    """
    # Shared sockets would not notice that another program uses the port.
    first = listen(host, port)
    if not _SPREADS_CONNECTIONS:
        return [first] * number
    port = first.getsockname()[1]
    first.close()
    return [listen(host, port, is_shared=True) for _ in range(number)]


def listen(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """Return a listening socket; port 0 chooses a free port. Raise ListenError.

    With `is_shared`, other sockets of this user can listen at the same address.
    """
    try:
        # Python would encode a string with the codec idna, which is slow to import.
        name = host.encode() if host.isascii() else host
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if is_shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
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
