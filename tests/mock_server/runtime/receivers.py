"""Receivers of callbacks that answer, reset or say nothing."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.mock_server.runtime.listening import (
    Write,
    listening,
    until,
)

LIMIT_S = 30  # The time limit of an attempt, by default.
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Receiver:
    """A raw HTTP receiver; `reply` writes the response to each request."""

    def __init__(self, reply: Write) -> None:
        self.reply = reply
        self.port = 0
        self.requests: list[bytes] = []
        self.connections = 0
        self.lost = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                self.requests.append(head + await reader.readexactly(length))
                await self.reply(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.lost.set()
        finally:
            writer.close()

    async def until_connected(self, times: int) -> None:
        await until(lambda: self.connections >= times)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


def answering(answer: bytes) -> Write:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return reply


async def resetting(writer: asyncio.StreamWriter) -> None:
    peer: socket.socket = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def receiving(reply: Write) -> AsyncIterator[Receiver]:
    receiver = Receiver(reply)
    async with listening(receiver.serve) as receiver.port:
        yield receiver
