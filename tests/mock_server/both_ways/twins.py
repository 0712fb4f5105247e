"""Two servers that differ only in how they serve requests, and one conversation with both.

A server answers most requests straight from the data that arrives: the direct path. Everything
else, and every request of a server without a direct path, takes the ordinary way over ASGI.
Clients must not see a difference. So each server here has the same seed, settings and clock, and
after the same conversation everything is compared that a client, its tester or an operator sees.
"""

import asyncio
import json
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from threading import Condition, Thread

import msgspec
import uvicorn

from mock_server.domain.ports import DeliveryResult
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.store import Store
from mock_server.server import uvicorn_config
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from mock_server.tls import Tls
from mock_server.wiring import MockServer
from tests.mock_server.both_ways.watching import Watch, WatchedConnection
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api, Json
from tests.mock_server.e2e.serving import RunningMock, running
from tests.patience import PATIENCE_S

START_MS = 1_800_000_000_000
PROMPT = b'{"input":{"prompt":"a fox"}}'

Metrics = dict[str, float]
MakeStore = Callable[[SandboxTemplate], Store]

_PORT = re.compile(r"port \d+")


class StillClock:
    """A clock that moves only when a test moves it, so that all durations are equal."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def now_ns(self) -> int:
        return self.now_ms * 1_000_000


class NotingSender:
    """Delivers callbacks to nobody, and notes them.

    It also notes whether the client already knew about the task from a response.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.log: list[str] = []
        self._changed = Condition()

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        task_id = json.loads(body)["data"]["taskId"]
        order = "after" if self._watch.has_written(task_id) else "BEFORE"
        with self._changed:
            self.log.append(f"callback to {url} {order} a response: {body.decode()}")
            self._changed.notify_all()
        return DeliveryResult(status=200)

    def wait_for(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.log) >= number, PATIENCE_S)

    async def aclose(self) -> None:
        """Have nothing to close."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Server:
    """One of the twins."""

    mock: RunningMock
    watch: Watch
    clock: StillClock
    sender: NotingSender
    lines: "LogLines"

    def without_port(self, shown: bytes) -> bytes:
        """Return bytes with the address of the server as it is for both twins."""
        port = self.mock.host.partition(":")[2]
        return shown.replace(f"127.0.0.1:{port}".encode(), b"127.0.0.1:" + b"0" * len(port))

    def metrics(self) -> Metrics:
        lines = self.mock.http.get("/_mock/metrics").text.splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that can be seen of a conversation, but how its requests were served."""

    received: bytes
    is_closed_by_server: bool
    is_aborted: bool  # With a reset instead of an end.
    sandboxes: Sequence[Json]  # A snapshot of each sandbox.
    journals: Sequence[Json]
    metrics: Metrics  # What the conversation added.
    lines: Sequence[str]  # The lines that the server logged.
    callbacks: Sequence[str]

    @property
    def statuses(self) -> list[int]:
        return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.received)]


class LogLines(logging.Handler):
    """The lines that the thread of one server logs, without the ports of clients."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.thread = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.threadName == self.thread and record.name.startswith(("mock_server", "uvicorn")):
            self.lines.append(f"{record.levelname} {_PORT.sub('port', record.getMessage())}")


class Conversation:
    """What one client does on one connection, with a key of its own."""

    def __init__(self, server: Server, key: str) -> None:
        self.key = key
        self.api: Api = server.mock.api(key)
        self.clock = server.clock
        self._server = server
        self._keys = [key]
        self._line = Line(server)
        self._callbacks = len(server.sender.log)
        self._is_half_closed = False

    def request(self, line: str, *headers: str, body: bytes | None = None) -> bytes:
        """Return a request with the key; `line` is the request line."""
        head = [line, "Host: mock.test", f"Authorization: Bearer {self.key}", *headers]
        if body is not None:
            head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*head, "", ""]).encode("latin-1") + (body or b"")

    def status(self, task_id: str = "unknown", *headers: str) -> bytes:
        return self.request(f"GET {STATUS}?taskId={task_id} HTTP/1.1", *headers)

    def submit(self, *headers: str, body: bytes = PROMPT) -> bytes:
        return self.request(f"POST {SUBMIT} HTTP/1.1", *headers, body=body)

    def balance(self, *headers: str) -> bytes:
        return self.request(f"GET {BALANCE} HTTP/1.1", *headers)

    def another_key(self, key: str) -> None:
        """Compare the sandbox of this key, too."""
        self._keys.append(key)

    def new_task(self, body: bytes = PROMPT) -> str:
        """Submit a task on a connection of its own; return its id."""
        line = Line(self._server)
        line.send(self.submit(body=body))
        received = line.end()
        task_id: str = json.loads(received.partition(b"\r\n\r\n")[2])["data"]["taskId"]
        return task_id

    def send(self, *segments: bytes) -> None:
        """Send segments, so that each arrives by itself, at once one after the other."""
        self._line.send(*segments)

    def settle(self) -> None:
        """Wait until everything that can be answered is answered."""
        self._line.watched.settle()

    def wait_for_callbacks(self, number: int) -> None:
        """Wait until the server has sent so many callbacks of this conversation."""
        self._server.sender.wait_for(self._callbacks + number)

    def half_close(self) -> None:
        """Send no more, but go on receiving.

        Whether the server notices that before it closes the connection itself is not compared.
        """
        self._is_half_closed = True
        self._line.half_close()

    def close(self) -> None:
        self._line.close()

    def outcome(self, metrics: Metrics, lines: int) -> Outcome:
        received = self._line.end()
        watched = self._line.watched
        apis = [self._server.mock.api(key) for key in self._keys]
        return Outcome(
            received=self._server.without_port(received),
            is_closed_by_server=watched.is_closed_by_server and not self._is_half_closed,
            is_aborted=watched.is_aborted,
            sandboxes=[self._shown(api, "sandbox/snapshot") for api in apis],
            journals=[self._shown(api, "journal?limit=10000") for api in apis],
            metrics={
                name: value - metrics.get(name, 0)
                for name, value in self._server.metrics().items()
                if value != metrics.get(name, 0)
            },
            lines=self._server.lines.lines[lines:],
            callbacks=self._server.sender.log[self._callbacks :],
        )

    def _shown(self, api: Api, path: str) -> Json:
        answer = api.control("GET", path)
        assert answer.status_code == 200, answer.text
        shown: Json = json.loads(self._server.without_port(answer.content))
        return shown

    @property
    def calls(self) -> int:
        """How many requests took the ordinary way."""
        return self._line.watched.calls


class Line:
    """A connection whose client reads all the time, so that it never keeps the server waiting.

    With TLS the client reads at the end only, because an SSL socket is for one thread.
    """

    def __init__(self, server: Server) -> None:
        self._socket = server.mock.connect()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.watched: WatchedConnection = server.watch.connection(self._socket.getsockname()[1])
        self._sent_bytes = 0
        self._received: list[bytes] = []
        self._reader = Thread(target=self._read)
        if not isinstance(self._socket, ssl.SSLSocket):
            self._reader.start()

    def send(self, *segments: bytes) -> None:
        for segment in segments:
            if self.watched.is_over:
                return
            try:
                self._socket.sendall(segment)
            except OSError:  # The server has closed the connection in the meantime.
                return
            self._sent_bytes += len(segment)
            self.watched.wait_for(self._sent_bytes)

    def half_close(self) -> None:
        with suppress(OSError):  # The server may have closed the connection.
            socket.socket.shutdown(self._socket, socket.SHUT_WR)  # That of TLS forgets the keys.

    def end(self) -> bytes:
        """Close the connection once everything is answered; return what came."""
        self.watched.settle()
        self.close()
        self.watched.wait_until_lost()
        return b"".join(self._received)

    def close(self) -> None:
        """Close the connection after its server has done so."""
        if self._socket.fileno() < 0:
            return
        self.half_close()
        if isinstance(self._socket, ssl.SSLSocket):
            self._read()
        else:
            self._reader.join(PATIENCE_S)
            assert not self._reader.is_alive(), "the server did not close the connection"
        self._socket.close()

    def _read(self) -> None:
        # A server that closes the connection before it has read everything may reset it.
        with suppress(ConnectionResetError, ssl.SSLError):
            while data := self._socket.recv(262_144):
                self._received.append(data)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Twins:
    """A server with the direct path and one without."""

    direct: Server
    ordinary: Server
    _numbers: Iterator[int] = field(default_factory=count)

    def compare(self, talk: Callable[[Conversation], None], key: str = "") -> tuple[Outcome, int]:
        """Have the same conversation with both and compare all that can be seen.

        Return the outcome, and how many requests were served directly.
        """
        key = key or f"sk-talk-{next(self._numbers)}"
        direct, direct_calls = outcome_of(self.direct, talk, key)
        ordinary, ordinary_calls = outcome_of(self.ordinary, talk, key)
        for name in Outcome.__dataclass_fields__:  # The first difference is the shortest to read.
            one, other = getattr(direct, name), getattr(ordinary, name)
            assert one == other, f"{name} of the direct path: {one}\nof the other: {other}"
        return direct, ordinary_calls - direct_calls


def outcome_of(
    server: Server, talk: Callable[[Conversation], None], key: str
) -> tuple[Outcome, int]:
    """Return what comes of a conversation, and how many of its requests took the ordinary way."""
    metrics = server.metrics()
    lines = len(server.lines.lines)
    conversation = Conversation(server, key)
    try:
        talk(conversation)
        return conversation.outcome(metrics, lines), conversation.calls
    finally:
        conversation.close()


@contextmanager
def twins(settings: Settings, make_store: MakeStore = MemoryStore) -> Iterator[Twins]:
    """Serve both ways with these settings, a fixed seed and a clock that stands still.

    The server with the direct path has a store of this kind; the other one has it in memory.
    """
    with ExitStack() as servers:
        yield Twins(
            direct=servers.enter_context(_serving(settings, make_store, is_direct=True)),
            ordinary=servers.enter_context(_serving(settings, MemoryStore, is_direct=False)),
        )


@contextmanager
def _serving(settings: Settings, make_store: MakeStore, *, is_direct: bool) -> Iterator[Server]:
    watch, clock, lines = Watch(), StillClock(), LogLines()
    sender = NotingSender(watch)

    def configure(app: MockServer, tls: Tls | None) -> uvicorn.Config:
        app._responder._sleep = _sleep_at_once
        lines.thread = f"mock on {app.settings.port}"
        return watch.install(uvicorn_config(app, tls, is_direct=is_direct))

    settings = msgspec.structs.replace(settings, seed=7)
    logging.getLogger().addHandler(lines)
    try:
        make = partial(MockServer, clock=clock, sender=sender, make_store=make_store)
        with running(settings, make=make, configure=configure) as mock:
            yield Server(mock=mock, watch=watch, clock=clock, sender=sender, lines=lines)
    finally:
        logging.getLogger().removeHandler(lines)


async def _sleep_at_once(seconds: float) -> None:
    """Spend no time on the latency of a rule."""
    await asyncio.sleep(0)
