"""Connections whose client does not read, is idle, or is connected when the server stops.

Transport and time are simulated, so the tests decide when a client reads and when timers run.
"""

import asyncio
import logging
import re
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Any, cast

import pytest
from uvicorn.server import ServerState

from mock_server.http_protocol import HttpProtocol
from mock_server.server import uvicorn_config
from mock_server.settings import Settings
from mock_server.web.responder import Responder
from mock_server.wiring import MockServer
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT

pytestmark = pytest.mark.anyio
HIGH_WATER_BYTES = 256 * 1024  # With what the kernel buffers.
KEEP_ALIVE_S = 75
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
        self.unread = bytearray()  # Written by the server.
        self.responses = 0  # So many responses have begun.
        self.reads = True  # Whether the server reads.
        self._is_paused = False
        self._is_closing = False

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
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
        return len(self.unread)

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True

    abort = close


class Timer:
    def __init__(self, at_s: float, run: Callable[[], object]) -> None:
        self.at_s = at_s
        self.run = run
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


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


@pytest.fixture(params=[True, False], ids=["direct", "ordinary"])
def is_direct(request: pytest.FixtureRequest) -> bool:
    return cast("bool", request.param)


@asynccontextmanager
async def connected(*, is_direct: bool) -> AsyncIterator[tuple[HttpProtocol, Client, SteppedLoop]]:
    config = uvicorn_config(MockServer(Settings(log_level="warning")), is_direct=is_direct)
    config.load()
    loop, client = SteppedLoop(), Client()
    make = cast("Callable[..., HttpProtocol]", config.http_protocol_class)
    protocol = make(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    client.protocol = protocol
    protocol.connection_made(client)
    yield protocol, client, loop
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


@pytest.mark.parametrize("kinds", [KINDS, KINDS[:3]], ids=["all kinds", "plain requests"])
@pytest.mark.parametrize("chunk_bytes", [8 * 1024, 64 * 1024])
@pytest.mark.parametrize("is_split", [False, True], ids=["whole requests", "split requests"])
async def test_a_client_that_does_not_read_is_not_buffered_without_bound(
    is_direct: bool,  # noqa: FBT001
    chunk_bytes: int,
    kinds: list[tuple[int, bytes]],
    is_split: bool,  # noqa: FBT001
) -> None:
    """The client sends as fast as the server reads, and reads nothing until the server stops."""
    sent = [kinds[int(digit) % len(kinds)] for digit in str(7**3_000)]  # Not in a simple order.
    data = b"".join(request for _, request in sent)
    ends = list(accumulate(len(request) for _, request in sent))
    async with connected(is_direct=is_direct) as (protocol, client, _):
        received, fed_bytes, pending_bytes, unread_bytes = b"", 0, 0, 0
        turns_without_data = 0
        while client.responses < len(sent):
            if client.reads and fed_bytes < len(data):
                end = min(len(data), fed_bytes + chunk_bytes)
                end = end if is_split else ends[bisect_left(ends, end)]
                protocol.data_received(data[fed_bytes:end])
                fed_bytes = end
                turns_without_data = 0
            await asyncio.sleep(0)
            turns_without_data += 1
            if turns_without_data > 1_000:  # The server waits for its client.
                received += client.read()
                turns_without_data = 0
            answered = client.responses
            pending_bytes = max(pending_bytes, fed_bytes - (ends[answered - 1] if answered else 0))
            unread_bytes = max(unread_bytes, len(client.unread))

        received += client.read()
        assert pending_bytes <= 2 * chunk_bytes + 1_000
        assert unread_bytes < HIGH_WATER_BYTES + 64 * 1024
        assert statuses(received) == [status for status, _ in sent]
        assert not client.is_closing()


async def test_an_idle_connection_is_closed(is_direct: bool) -> None:  # noqa: FBT001
    async with connected(is_direct=is_direct) as (protocol, client, loop):
        protocol.data_received(GET_BALANCE)
        await settled(client)
        loop.advance(KEEP_ALIVE_S - 1)
        is_closed_early = client.is_closing()
        loop.advance(1)

        assert (is_closed_early, client.is_closing()) == (False, True)


@pytest.mark.parametrize(("_", "request_bytes"), KINDS, ids=[str(status) for status, _ in KINDS])
async def test_each_response_restarts_the_timer_of_an_idle_connection(
    is_direct: bool,  # noqa: FBT001
    _: int,
    request_bytes: bytes,
) -> None:
    async with connected(is_direct=is_direct) as (protocol, client, loop):
        for request in (GET_BALANCE, request_bytes, GET_BALANCE, request_bytes):
            protocol.data_received(request)
            await settled(client)
            loop.advance(KEEP_ALIVE_S - 1)
            assert not client.is_closing()
        loop.advance(1)

        assert client.is_closing()


@pytest.mark.parametrize("cut", [10, -1])
async def test_a_connection_with_an_incomplete_request_is_not_idle(
    is_direct: bool,  # noqa: FBT001
    cut: int,
) -> None:
    submit = KINDS[2][1]
    async with connected(is_direct=is_direct) as (protocol, client, loop):
        protocol.data_received(GET_BALANCE + submit[:cut])
        await settled(client)
        loop.advance(10 * KEEP_ALIVE_S)
        protocol.data_received(submit[cut:])
        await settled(client)

        assert statuses(client.read()) == [200, 400]
        assert not client.is_closing()


async def test_a_client_that_reads_late_receives_all_its_responses(
    is_direct: bool,  # noqa: FBT001
) -> None:
    number = 2 * HIGH_WATER_BYTES // 150
    async with connected(is_direct=is_direct) as (protocol, client, loop):
        protocol.data_received(GET_BALANCE * number)
        await settled(client)
        loop.advance(10 * KEEP_ALIVE_S)

        received = b""
        while client.unread:
            received += client.read()
            await settled(client)

        assert statuses(received) == [200] * number


async def test_a_stopping_server_closes_idle_connections_at_once(
    is_direct: bool,  # noqa: FBT001
) -> None:
    async with connected(is_direct=is_direct) as (protocol, client, _):
        protocol.data_received(GET_BALANCE)
        await settled(client)
        protocol.shutdown()

        assert client.is_closing()


@pytest.mark.parametrize("more", [[], KINDS[:3]], ids=["one request", "several requests"])
async def test_the_end_of_data_keeps_the_responses_and_the_error_before_it(
    is_direct: bool,  # noqa: FBT001
    more: list[tuple[int, bytes]],
) -> None:
    sent = [KINDS[3], *more]
    async with connected(is_direct=is_direct) as (protocol, client, _):
        protocol.data_received(b"".join(request for _, request in sent) + b"NONSENSE\r\n\r\n")
        protocol.eof_received()
        await settled(client)

        assert statuses(client.read()) == [*(status for status, _ in sent), 400]
        assert client.is_closing()


async def test_the_end_of_data_after_an_invalid_body_keeps_the_responses(
    is_direct: bool,  # noqa: FBT001
) -> None:
    chunked = GET_BALANCE.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost")
    async with connected(is_direct=is_direct) as (protocol, client, _):
        protocol.data_received(KINDS[3][1] + chunked + b"NONSENSE")
        protocol.eof_received()
        protocol.shutdown()
        await settled(client)

        assert statuses(client.read()) == [405, 400]
        assert client.is_closing()


@pytest.mark.parametrize("cut", [10, -1])
async def test_a_stopping_server_does_not_wait_for_the_rest_of_a_request(
    is_direct: bool,  # noqa: FBT001
    cut: int,
) -> None:
    async with connected(is_direct=is_direct) as (protocol, client, _):
        protocol.data_received(GET_BALANCE + KINDS[2][1][:cut])
        protocol.shutdown()
        await settled(client)

        assert statuses(client.read()) == [200]
        assert client.is_closing()


async def test_a_stopping_server_answers_the_requests_that_it_has(
    is_direct: bool,  # noqa: FBT001
) -> None:
    async with connected(is_direct=is_direct) as (protocol, client, _):
        protocol.data_received(GET_BALANCE * 250)
        protocol.shutdown()
        await settled(client)

        assert statuses(client.read()) == [200] * 250
        assert client.is_closing()


async def test_a_request_that_fails_is_answered_with_500_and_ends_the_connection(
    is_direct: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = iter([False, True])
    record = Responder.record

    def failing(*arguments: Any) -> Any:
        if next(calls):
            raise RuntimeError
        return record(*arguments)

    monkeypatch.setattr(Responder, "record", failing)
    for name in ("mock_server", "uvicorn.error"):  # Other servers of the run must log no error.
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
        monkeypatch.setattr(logging.getLogger(name), "handlers", [caplog.handler])
    async with connected(is_direct=is_direct) as (protocol, client, _):
        protocol.data_received(GET_BALANCE * 3)
        await settled(client)
        received = client.read()

        assert statuses(received) == [200, 500]
        assert received[received.rindex(b"HTTP/1.1") :] == (
            b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: 21\r\nconnection: close\r\n\r\nInternal Server Error"
        )
        assert client.is_closing()
        assert [each.levelname for each in caplog.records] == ["ERROR"]
