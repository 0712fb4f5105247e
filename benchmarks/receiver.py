"""An HTTP server for callbacks, in the event loop of the benchmark."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

_BACKLOG = 1024
_HEAD_END = b"\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CLOSE = b""

Handle: TypeAlias = Callable[[str], bytes | None]
"""Gets the path of a callback and returns the response: CLOSE closes the connection, None never
responds."""


class Receiver:
    """Receives callbacks and responds as `handle` says."""

    def __init__(self, handle: Handle) -> None:
        self.port = 0
        self._handle = handle
        self._connections: set[_Connection] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Connection(self._handle, self._connections), "127.0.0.1", 0, backlog=_BACKLOG
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for connection in tuple(self._connections):
                connection.abort()
            await asyncio.sleep(0)  # The sockets are closed in the next turn.


class _Connection(asyncio.Protocol):
    """Reads the requests of one connection."""

    def __init__(self, handle: Handle, connections: "set[_Connection]") -> None:
        self._handle = handle
        self._connections = connections
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(_HEAD_END)) >= 0:
            head = self._received[:end]
            end += len(_HEAD_END) + content_length(head.lower())
            if len(self._received) < end:
                return
            self._received = self._received[end:]
            self._respond(self._handle(head.split(b" ", 2)[1].decode("ascii")))

    def _respond(self, response: bytes | None) -> None:
        if self._transport is None or response is None:
            return
        if response == CLOSE:
            self._transport.close()
        else:
            self._transport.write(response)


def content_length(head: bytes) -> int:
    """Return the length of the body after a head in lower case."""
    return int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
