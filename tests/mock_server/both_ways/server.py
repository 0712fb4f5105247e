"""A server whose requests, callbacks, log lines and clock a test watches."""

import json
import logging
import re
from dataclasses import dataclass
from threading import Condition

from mock_server.domain.ports import DeliveryResult
from tests.mock_server.both_ways.watching import Watch
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S

START_MS = 1_800_000_000_000

Metrics = dict[str, float]

_PORT = re.compile(r"port \d+")


class StillClock:
    """A clock that moves only when a test moves it, so that all durations are equal."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def now_ns(self) -> int:
        return self.now_ms * 1_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns()

    def shift(self, by_ms: int) -> None:
        self.now_ms += by_ms


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


class LogLines(logging.Handler):
    """The lines that the thread of one server logs, without the ports of clients."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        self.thread = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.threadName == self.thread and record.name.startswith(("mock_server", "uvicorn")):
            self.lines.append(f"{record.levelname} {_PORT.sub('port', record.getMessage())}")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Server:
    """One of the twins."""

    mock: RunningMock
    watch: Watch
    clock: StillClock
    sender: NotingSender
    lines: LogLines

    def without_port(self, shown: bytes) -> bytes:
        """Return bytes with the address of the server as it is for both twins."""
        port = self.mock.host.partition(":")[2]
        return shown.replace(f"127.0.0.1:{port}".encode(), b"127.0.0.1:" + b"0" * len(port))

    def metrics(self) -> Metrics:
        lines = self.mock.http.get("/_mock/metrics").text.splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        # A durable store keeps headers without the key, so its journal has another weight.
        return {
            name: float(value) for name, _, value in pairs if name != "apixo_mock_journal_bytes"
        }
