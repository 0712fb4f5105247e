"""Receive a burst of callbacks, and measure status requests of another client meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

from benchmarks.errors import BenchError
from benchmarks.wrk import Request

_LIMIT_S = 120
_PAUSE_S = 0.002  # This is between two status requests.
_BACKLOG = 1024
_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_HEAD_END = b"\r\n\r\n"


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a burst. Time counts from the instant at which the callbacks became due."""

    duration_s: float  # Until the last callback was received.
    latencies_ms: list[float]  # Of the status requests, in ascending order.


class Receiver:
    """Accepts callbacks in the event loop of the benchmark, and counts them."""

    def __init__(self) -> None:
        self.port = 0
        self._missing = 0
        self._connections: list[_Connection] = []
        self._last = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connect, "127.0.0.1", 0, backlog=_BACKLOG)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for connection in self._connections:
                connection.abort()
            await asyncio.sleep(0)  # The sockets are closed in the next turn.

    def expect(self, count: int) -> None:
        self._missing = count
        self._last.clear()

    async def wait(self) -> None:
        """Wait until all expected callbacks were received. Raise BenchError after two minutes."""
        try:
            async with asyncio.timeout(_LIMIT_S):
                await self._last.wait()
        except TimeoutError:
            raise BenchError(f"{self._missing} callbacks did not arrive") from None

    def _connect(self) -> "_Connection":
        connection = _Connection(self._count)
        self._connections.append(connection)
        return connection

    def _count(self) -> None:
        self._missing -= 1
        if self._missing == 0:
            self._last.set()


async def measure_burst(
    receiver: Receiver, count: int, begin: Callable[[], object], port: int, status: Request
) -> Burst:
    """Call `begin`, which makes callbacks due, and measure until all are received.

    `status` is the request of another client, which is repeated meanwhile.
    """
    receiver.expect(count)
    latencies_ms: list[float] = []
    probing = asyncio.create_task(_probe(port, status, latencies_ms))
    began_s = time.perf_counter()
    await asyncio.to_thread(begin)
    await receiver.wait()
    duration_s = time.perf_counter() - began_s
    probing.cancel()
    with suppress(asyncio.CancelledError):
        await probing
    return Burst(duration_s=duration_s, latencies_ms=sorted(latencies_ms))


async def _probe(port: int, request: Request, latencies_ms: list[float]) -> None:
    """Send a request again and again on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    sent = f"{request.method} {request.paths[0]} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n"
    try:
        while True:
            began_s = time.perf_counter()
            writer.write(sent.encode())
            response = (await reader.readuntil(_HEAD_END)).lower()
            if not response.startswith(b"http/1.1 200 "):
                raise BenchError(f"a status request failed: {response[:100]!r}")
            await reader.readexactly(_content_length(response))
            latencies_ms.append((time.perf_counter() - began_s) * 1000)
            await asyncio.sleep(_PAUSE_S)
    finally:
        writer.close()


class _Connection(asyncio.Protocol):
    """Answers each callback of a connection with 200."""

    def __init__(self, count: Callable[[], None]) -> None:
        self._count = count
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(_HEAD_END)) >= 0:
            end += len(_HEAD_END) + _content_length(self._received[:end].lower())
            if len(self._received) < end:
                return
            self._received = self._received[end:]
            self._count()
            if self._transport is not None:
                self._transport.write(_RESPONSE)


def _content_length(head: bytes) -> int:
    return int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
