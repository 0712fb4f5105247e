"""A connection of a client that may close it at any moment."""

import asyncio
import socket
import struct
from typing import NamedTuple

from tests.patience import PATIENCE_S

_HEAD_END = b"\r\n\r\n"
_RST = struct.pack("ii", 1, 0)


class Request(NamedTuple):
    """A request as bytes. `head_bytes` of them are the head."""

    raw: bytes
    head_bytes: int


def request(
    method: str, path: str, key: str, body: bytes | None = None, **headers: object
) -> Request:
    """Return a request with an API key. In names of headers, `_` is a hyphen."""
    lines = [f"{method} {path} HTTP/1.1", "Host: mock", f"Authorization: Bearer {key}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    head = "\r\n".join(lines).encode() + _HEAD_END
    return Request(head + (body or b""), len(head))


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """Connects when something is sent, and again after the connection was closed."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, data: bytes) -> None:
        _, writer = await self._open()
        writer.write(data)
        await writer.drain()

    async def receive(self) -> Response:
        """Return the next response. Raises asyncio.IncompleteReadError, OSError."""
        async with asyncio.timeout(PATIENCE_S):
            status, headers = await self.receive_head()
            reader, _ = await self._open()
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            await self.close()
        return Response(status, headers, body)

    async def receive_head(self) -> tuple[int, dict[str, str]]:
        reader, _ = await self._open()
        head = await reader.readuntil(_HEAD_END)
        first, *lines = head[: -len(_HEAD_END)].decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}

    async def receive_line(self) -> bytes:
        reader, _ = await self._open()
        return await reader.readline()

    async def stop_sending(self) -> None:
        _, writer = await self._open()
        writer.write_eof()

    async def reset(self) -> None:
        """Close the connection with RST, so that what was sent may be lost."""
        if self._streams is not None:
            link: socket.socket = self._streams[1].get_extra_info("socket")
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
            self._streams[1].transport.abort()
        await self.close()

    async def close(self) -> None:
        if self._streams is None:
            return
        (_, writer), self._streams = self._streams, None
        writer.close()
        try:
            await writer.wait_closed()
        except OSError:  # The server was faster.
            return

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address, limit=64 * 1024 * 1024)
        return self._streams
