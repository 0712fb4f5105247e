"""A receiver of callbacks that rejects the first ones, as their URLs ask, and counts all."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_POST = re.compile(
    rb"POST /(\d+)/(\d+)/(\d+) .*?content-length: (\d+)\r\n(?:.*?\r\n)??\r\n",
    re.DOTALL | re.IGNORECASE,
)
_RESPONSE = b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n"


class CountingReceiver:
    """Counts the callbacks of each step.

    Those to `/STEP/N/MS` get status 500 N times, then 200, each time after MS milliseconds.
    """

    def __init__(self, server: asyncio.Server) -> None:
        self.received: Counter[int] = Counter()
        self.transports: set[asyncio.BaseTransport] = set()
        self._port = server.sockets[0].getsockname()[1]

    def url(self, step: int, rejected: int, pause_ms: int) -> str:
        return f"http://127.0.0.1:{self._port}/{step}/{rejected}/{pause_ms}"

    def answer(self, step: int, rejected: int) -> bytes:
        self.received[step] += 1
        return _RESPONSE % (200 if self.received[step] > rejected else 500)


class _Connection(asyncio.Protocol):
    def __init__(self, found: list[CountingReceiver]) -> None:
        self._found = found
        self._data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._found[0].transports.add(transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while post := _POST.match(self._data):
            end = post.end() + int(post[4])
            if len(self._data) < end:
                return
            self._data = self._data[end:]
            response = self._found[0].answer(int(post[1]), int(post[2]))
            # Responses of one connection stay in order: the sender waits for each one.
            asyncio.get_running_loop().call_later(
                int(post[3]) / 1000, self._transport.write, response
            )

    def connection_lost(self, exc: Exception | None) -> None:
        self._found[0].transports.discard(self._transport)


@asynccontextmanager
async def listening() -> AsyncIterator[CountingReceiver]:
    """Yield a receiver on a free port. At the end, it closes all connections."""
    found: list[CountingReceiver] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(found), "127.0.0.1", 0, backlog=1024)
    found.append(CountingReceiver(server))
    try:
        yield found[0]
    finally:
        server.close()
        for transport in tuple(found[0].transports):
            transport.close()
        await server.wait_closed()
