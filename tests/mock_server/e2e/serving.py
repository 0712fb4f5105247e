"""A whole mock server on a real socket, in a thread of its own."""

import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread, main_thread

import httpx
import msgspec
import uvicorn

from mock_server.server import listen, uvicorn_config
from mock_server.settings import Settings
from mock_server.tls import Tls, prepared_tls
from mock_server.wiring import MockServer
from tests.mock_server.e2e.api import Api
from tests.patience import PATIENCE_S

MakeApp = Callable[[Settings], MockServer]
Configure = Callable[[MockServer, Tls | None], uvicorn.Config]


_SERVER_NAME = "mock on "


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningMock:
    app: MockServer
    http: httpx.Client
    host: str  # with its port, as a client writes it into the Host header
    client_tls: ssl.SSLContext | None = None  # trusts the certificate of a server with TLS

    @property
    def url(self) -> str:
        return f"{_scheme(self.client_tls)}://{self.host}"

    def connect(self) -> socket.socket:
        """Return a fresh connection, with TLS where the server has it."""
        name, _, port = self.host.partition(":")
        line = socket.create_connection((name, int(port)), PATIENCE_S)
        if self.client_tls is None:
            return line
        return self.client_tls.wrap_socket(line, server_hostname=name, suppress_ragged_eofs=False)

    def api(self, key: str) -> Api:
        return Api(self.http, key)


@contextmanager
def running(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    make: MakeApp = MockServer,
    configure: Configure = uvicorn_config,
) -> Iterator[RunningMock]:
    """Serve these settings on a free port of the loopback address.

    `host` is the address that the server believes to listen on; what it allows depends on that.
    The server must log no error in all its life, and must stop when told to.
    """
    with prepared_tls(settings) as tls:
        yield from _running(settings, host, tls, make, configure)


def _running(
    settings: Settings, host: str, tls: Tls | None, make: MakeApp, configure: Configure
) -> Iterator[RunningMock]:
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = make(msgspec.structs.replace(settings, host=host, port=port))
    client_tls = None if tls is None else ssl.create_default_context(cafile=tls.ca_file)
    server = uvicorn.Server(configure(app, tls))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name=f"{_SERVER_NAME}{port}")
    errors = _Errors(thread)
    logging.getLogger().addHandler(errors)
    thread.start()
    try:
        with _client(f"{_scheme(client_tls)}://127.0.0.1:{port}", client_tls) as http:
            http.get("/_mock/ready").raise_for_status()
            yield RunningMock(app=app, http=http, host=f"127.0.0.1:{port}", client_tls=client_tls)
    finally:
        app.begin_stopping()
        server.should_exit = True
        thread.join(PATIENCE_S)
        logging.getLogger().removeHandler(errors)
    assert not thread.is_alive(), "the server did not stop"
    assert not errors.messages, "\n".join(errors.messages)


class _Errors(logging.Handler):
    """Collects the errors of servers, which run in threads, but for Pillow's about hostile images.

    Tests in the main thread, and other servers, provoke errors on purpose while a server of the
    whole session runs.
    """

    def __init__(self, server: Thread) -> None:
        super().__init__(logging.ERROR)
        self._server = server
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        is_other = (record.threadName or "").startswith(_SERVER_NAME)
        is_foreign = is_other and record.thread != self._server.ident
        is_of_tests = record.thread == main_thread().ident or is_foreign
        if not is_of_tests and not record.name.startswith("PIL"):
            self.messages.append(self.format(record))


def _scheme(tls: ssl.SSLContext | None) -> str:
    return "http" if tls is None else "https"


def _client(base_url: str, tls: ssl.SSLContext | None) -> httpx.Client:
    transport = httpx.HTTPTransport(verify=tls or False)  # False spares loading certificates
    return httpx.Client(base_url=base_url, transport=transport, timeout=PATIENCE_S)
