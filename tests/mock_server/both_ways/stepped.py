"""Connections whose transport and time are simulated, so that tests decide when things happen."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.server import ServerState

from mock_server.domain.ports import RealClock
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.store import Store
from mock_server.http_protocol import HttpProtocol
from mock_server.server import uvicorn_config
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from mock_server.wiring import MockServer
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT
from tests.mock_server.fake_stores import DurableStore, WaitingStore

KERNEL_BYTES = 192 * 1024  # The kernel buffers this much.
HIGH_WATER_BYTES = KERNEL_BYTES + 64 * 1024
HEAD = "Host: mock.test\r\nAuthorization: Bearer sk-flow\r\n"
GET_BALANCE = f"GET {BALANCE} HTTP/1.1\r\n{HEAD}\r\n".encode()
KINDS = [
    (200, GET_BALANCE),
    (404, f"GET {STATUS}?taskId=x HTTP/1.1\r\n{HEAD}\r\n".encode()),
    (400, f"POST {SUBMIT} HTTP/1.1\r\n{HEAD}Content-Length: 2\r\n\r\n{{}}".encode()),
    (405, f"DELETE {BALANCE} HTTP/1.1\r\n{HEAD}\r\n".encode()),
]


class Client(asyncio.Transport):
    """The transport of a connection, from the view of a client that reads when a test says so."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.protocol: HttpProtocol
        self.app: MockServer
        self.unread = bytearray()  # Written by the server.
        self.responses = 0  # So many responses have begun.
        self.reads = True  # Whether the server reads.
        self.is_ended = False  # Whether the server sends nothing more.
        self.is_lost = False
        self._is_paused = False
        self._is_closing = False

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if self.is_lost:  # As by uvloop.
            raise RuntimeError("the handler is closed")
        self.unread += data
        self.responses += bytes(data).count(b"HTTP/1.1 ")
        if len(self.unread) > HIGH_WATER_BYTES and not self._is_paused:
            self._is_paused = True
            self.protocol.pause_writing()

    def read(self) -> bytes:
        """Read everything that the server has written."""
        data = bytes(self.unread)
        self.unread.clear()
        if self._is_paused:
            self._is_paused = False
            self.protocol.resume_writing()
        return data

    def get_write_buffer_size(self) -> int:
        return max(0, len(self.unread) - KERNEL_BYTES)

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_ended = True

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self.is_ended = self._is_closing = True

    abort = close


class Timer:
    def __init__(self, at_s: float, run: Callable[[], object]) -> None:
        self.at_s = at_s
        self.run = run
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def when(self) -> float:
        return self.at_s


class SteppedLoop:
    """The running loop with another clock, which a test moves."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timers: list[Timer] = []
        self._now_s = 1_000.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def time(self) -> float:
        return self._now_s

    def call_later(self, delay_s: float, run: Callable[[], object]) -> Timer:
        timer = Timer(self._now_s + delay_s, run)
        self._timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Run the timers that are due within so many seconds."""
        end_s = self._now_s + seconds
        while due := [each for each in self._timers if each.at_s <= end_s]:
            timer = min(due, key=lambda each: each.at_s)
            self._timers.remove(timer)
            self._now_s = timer.at_s
            if not timer.is_cancelled:
                timer.run()
        self._now_s = end_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How requests are served, and by which store."""

    make_store: Callable[[SandboxTemplate], Store] = MemoryStore
    is_direct: bool = True


WAYS = {
    "direct": Way(),
    "ordinary": Way(is_direct=False),
    "direct, durable store": Way(make_store=DurableStore),
    "ordinary, durable store": Way(make_store=DurableStore, is_direct=False),
    "direct, waiting store": Way(make_store=WaitingStore),
}


@asynccontextmanager
async def connected(
    way: Way, *, clock: RealClock | None = None, **settings: Any
) -> AsyncIterator[tuple[HttpProtocol, Client, SteppedLoop]]:
    chosen = Settings(log_level="warning", **settings)
    app = MockServer(chosen, make_store=way.make_store, clock=clock)
    config = uvicorn_config(app, is_direct=way.is_direct)
    config.load()
    loop, client = SteppedLoop(), Client()
    make = cast("Callable[..., HttpProtocol]", config.http_protocol_class)
    protocol = make(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    client.protocol, client.app = protocol, app
    protocol.connection_made(client)
    yield protocol, client, loop
    client.is_lost = True
    protocol.connection_lost(None)
    await settled(client)


async def settled(client: Client) -> None:
    """Let the server do all it can."""
    before, quiet = (-1, False), 0
    while quiet < 20:
        await asyncio.sleep(0)
        now = (len(client.unread), client.reads)
        before, quiet = now, quiet + 1 if now == before else 0


def statuses(received: bytes) -> list[int]:
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]
