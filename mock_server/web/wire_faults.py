"""Inject wire faults into responses: one function per fault.

The request has already been handled as usual.
"""

import asyncio
import socket
import struct
from asyncio import Transport
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from starlette.types import Message, Send

from mock_server.domain.faults.wire import WireFault
from mock_server.web.answer import Answer, Header

EXTENSION = "mock_server.connection"  # The name of the connection in the extensions of a scope.
DRIBBLE_BYTES = 200  # These bytes are sent one by one, and the rest at once.
DRIBBLE_PAUSE_S = 0.02
HANG_S = 600.0  # No client waits longer, and no connection stays open for ever.
_RESET = struct.pack("ii", 1, 0)  # With SO_LINGER of 0 s, the kernel sends RST instead of FIN.
_GARBAGE = b"\x16\x03\x01\x00\xa5\x00\xff\xfe*** not HTTP ***\r\n\x00\x80\r\n\r\n"
_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>proxy</center>\r\n"
    b"</body>\r\n</html>\r\n"
)

Sleep = Callable[[float], Awaitable[None]]


class Connection(Protocol):
    """The TCP connection of a request."""

    @property
    def transport(self) -> Transport: ...
    async def lost(self) -> None:
        """Wait until the connection is closed."""

    async def stopped_sending(self) -> None:
        """Wait until the client has closed the connection, or at least its direction."""


class Response(msgspec.Struct, frozen=True):
    """A response that has not been sent; `head` is its valid start message."""

    answer: Answer
    head: Message
    connection: Connection
    send: Send
    sleep: Sleep

    async def send_changed(
        self,
        body: bytes,
        *,
        status: int | None = None,
        content_type: bytes | None = None,
        headers: tuple[Header, ...] = (),
    ) -> None:
        """Send the response with another body; None leaves status and type as they are."""
        kept = [
            (name, value)
            for name, value in self.head["headers"]
            if name not in {b"content-type", b"content-length"}
        ]
        content_type = content_type or self.answer.content_type
        if content_type:
            kept.append((b"content-type", content_type))
        kept.append((b"content-length", b"%d" % len(body)))
        status = self.answer.status if status is None else status
        await self.send({**self.head, "status": status, "headers": [*kept, *headers]})
        await self.send(_part(body))


async def send_faulty(
    fault: WireFault,
    answer: Answer,
    head: Message,
    *,
    connection: Connection,
    send: Send,
    sleep: Sleep,
) -> None:
    """Send a response with this fault; `head` is its valid start message."""
    await _SENDERS[fault](Response(answer, head, connection, send, sleep))


async def _close(response: Response) -> None:
    response.connection.transport.close()
    await response.connection.lost()


async def _reset(response: Response) -> None:
    transport = response.connection.transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
    await response.connection.lost()


async def _half_body(response: Response) -> None:
    body = response.answer.body
    await response.send(response.head)
    await response.send(_part(body[: len(body) // 2], more=True))
    await _close(response)


async def _hang(response: Response) -> None:
    body = response.answer.body
    await response.send(response.head)
    await response.send(_part(body[: len(body) // 2], more=True))
    waits = [
        asyncio.ensure_future(response.connection.lost()),
        asyncio.ensure_future(response.sleep(HANG_S)),
    ]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
    await _close(response)


async def _dribble(response: Response) -> None:
    body = response.answer.body
    await response.send(response.head)
    for at in range(min(DRIBBLE_BYTES, len(body))):
        await response.send(_part(body[at : at + 1], more=True))
        await response.sleep(DRIBBLE_PAUSE_S)
    await response.send(_part(body[DRIBBLE_BYTES:]))


async def _garbage(response: Response) -> None:
    response.connection.transport.write(_GARBAGE)
    await _close(response)


async def _empty(response: Response) -> None:
    await response.send_changed(b"", status=200)


async def _html_error(response: Response) -> None:
    await response.send_changed(_PAGE, status=502, content_type=b"text/html")


async def _wrong_content_type(response: Response) -> None:
    await response.send_changed(response.answer.body, content_type=b"text/html; charset=utf-8")


async def _invalid_json(response: Response) -> None:
    await response.send_changed(response.answer.body[:-1] + b",]")


async def _bad_gzip(response: Response) -> None:
    await response.send_changed(response.answer.body, headers=((b"content-encoding", b"gzip"),))


_SENDERS: dict[WireFault, Callable[[Response], Awaitable[None]]] = {
    WireFault.CLOSE: _close,
    WireFault.RESET: _reset,
    WireFault.HALF_BODY: _half_body,
    WireFault.DRIBBLE: _dribble,
    WireFault.HANG: _hang,
    WireFault.GARBAGE: _garbage,
    WireFault.EMPTY: _empty,
    WireFault.HTML_ERROR: _html_error,
    WireFault.WRONG_CONTENT_TYPE: _wrong_content_type,
    WireFault.INVALID_JSON: _invalid_json,
    WireFault.BAD_GZIP: _bad_gzip,
}


def _part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
