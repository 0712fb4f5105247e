"""What one client does on one connection, and everything that can be seen of it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.mock_server.both_ways.line import Line
from tests.mock_server.both_ways.server import Metrics, Server
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api, Json

PROMPT = b'{"input":{"prompt":"a fox"}}'


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
