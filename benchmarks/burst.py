"""Receive a burst of callbacks, and measure status requests of another client meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

from benchmarks.errors import BenchError
from benchmarks.receiver import OK, Receiver, content_length
from benchmarks.wrk import Request

_LIMIT_S = 120
_PAUSE_S = 0.002  # This is between two status requests.
_HEAD_END = b"\r\n\r\n"


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a burst. Time counts from the instant at which the callbacks became due."""

    duration_s: float  # Until the last callback was received.
    latencies_ms: list[float]  # Of the status requests, in ascending order.


class BurstReceiver:
    """Counts callbacks, and responds to each one with 200."""

    def __init__(self) -> None:
        self._receiver = Receiver(self._count)
        self._missing = 0
        self._last = asyncio.Event()

    @property
    def url(self) -> str:
        return self._receiver.url

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        async with self._receiver.listening():
            yield

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

    def _count(self, _: str) -> bytes:
        self._missing -= 1
        if self._missing == 0:
            self._last.set()
        return OK


async def measure_burst(
    receiver: BurstReceiver, count: int, begin: Callable[[], object], port: int, status: Request
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
            await reader.readexactly(content_length(response))
            latencies_ms.append((time.perf_counter() - began_s) * 1000)
            await asyncio.sleep(_PAUSE_S)
    finally:
        writer.close()
