"""A callback receiver that does what its script says and remembers what it was sent.

It also hands out files, for the reference images that the mock fetches.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any

from tests.patience import PATIENCE_S

LONGER_THAN_ANYBODY_WAITS_S = 10 * PATIENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one delivery is answered: a status, perhaps only once released, or nothing."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    released: Event | None = None
    closes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    noted: object  # what `note` returned, or raised, while the sender waited


class Receiver:
    def __init__(self) -> None:
        self.received: list[Received] = []
        self.files: dict[str, bytes] = {}
        self.note: Callable[[], object] = lambda: None
        self.otherwise = Answer()
        self.choose: Callable[[bytes], Answer] = self._by_script
        self._script: deque[Answer] = deque()
        self._gates: list[Event] = []
        self._changed = Condition()
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def answer(self, *answers: Answer | int) -> None:
        """Answer the next deliveries like this, one after the other."""
        self._script.extend(
            Answer(status=each) if isinstance(each, int) else each for each in answers
        )

    def block(self) -> Event:
        """Answer nothing from now on until the event is set."""
        gate = Event()
        self.otherwise = Answer(released=gate)
        self._gates.append(gate)
        return gate

    def wait_for(self, count: int) -> list[Received]:
        """Return all deliveries as soon as there are so many."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.received) >= count, PATIENCE_S)
            assert arrived, f"{len(self.received)} deliveries came, not {count}"
            return list(self.received)

    def close_gates(self) -> None:
        """Let every blocked delivery be answered."""
        for gate in self._gates:
            gate.set()

    def close(self) -> None:
        self.close_gates()
        self._server.shutdown()
        self._thread.join(PATIENCE_S)
        self._server.server_close()

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Remember a delivery and return its answer; called in the delivery's own thread."""
        noted = self._noted()
        with self._changed:
            answer = self.choose(body)
            self.received.append(Received(path=path, headers=headers, body=body, noted=noted))
            self._changed.notify_all()
        return answer

    def _by_script(self, _: bytes) -> Answer:
        return self._script.popleft() if self._script else self.otherwise

    def _noted(self) -> object:
        try:
            return self.note()
        except Exception as error:  # noqa: BLE001  # the test sees it where it looks for the note
            return error


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128  # connections that may come at once

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a sender that has given up is part of many tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.receiver.take(self.path, headers, body)
        if answer.released is not None:
            answer.released.wait(LONGER_THAN_ANYBODY_WAITS_S)
        if not answer.closes:
            self._reply(answer.status, answer.headers, b"")

    def do_GET(self) -> None:
        content = self.server.receiver.files.get(self.path)
        self._reply(404 if content is None else 200, {}, content or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as in the base
        """Keep standard error free."""

    def _reply(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
