"""Answers that break on the wire. The request has been served as usual; its answer is lost.

`close`, `reset` and `garbage` need the connection itself, which the server gives in the scope.
"""

import socket
import struct
from asyncio import Transport
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.types import Message, Scope, Send

from mock_server.web.answer import Answer

EXTENSION = "mock_server.connection"
DRIBBLE_BYTES = 200  # so many come one by one, the rest at once
DRIBBLE_PAUSE_S = 0.02
_RESET = struct.pack("ii", 1, 0)  # linger for 0 s: the kernel sends RST instead of FIN
_GARBAGE = b"\x16\x03\x01\x00\xa5\x00\xff\xfe*** not HTTP ***\r\n\x00\x80\r\n\r\n"
_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>proxy</center>\r\n"
    b"</body>\r\n</html>\r\n"
)

Sleep = Callable[[float], Awaitable[None]]


class Connection(Protocol):
    """The connection beneath a request."""

    @property
    def transport(self) -> Transport: ...
    async def lost(self) -> None:
        """Wait until it is gone."""


async def send_broken(
    wire: str,
    answer: Answer,
    head: Message,
    scope: Scope,
    send: Send,
    sleep: Sleep,
) -> None:
    """Send an answer with this wire fault; `head` is how it would have begun."""
    if wire in _OF_CONNECTION:
        _OF_CONNECTION[wire](_connection(scope))
        await _connection(scope).lost()
    elif wire == "half-body":
        await send(head)
        await send(_part(answer.body[: len(answer.body) // 2], more=True))
        _connection(scope).transport.close()
        await _connection(scope).lost()
    elif wire == "dribble":
        await send(head)
        for at in range(min(DRIBBLE_BYTES, len(answer.body))):
            await send(_part(answer.body[at : at + 1], more=True))
            await sleep(DRIBBLE_PAUSE_S)
        await send(_part(answer.body[DRIBBLE_BYTES:]))
    else:
        status, kind, body, *more = _replaced(wire, answer)
        kept = [
            (name, value)
            for name, value in head["headers"]
            if name not in {b"content-type", b"content-length"}
        ]
        described = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *more]
        headers = [*kept, *((name, value) for name, value in described if value)]
        await send({**head, "status": status, "headers": headers})
        await send(_part(body))


def _replaced(
    wire: str, answer: Answer
) -> tuple[int, bytes, bytes] | tuple[int, bytes, bytes, tuple[bytes, bytes]]:
    kind = answer.content_type or b""
    if wire == "empty":
        return 200, kind, b""
    if wire == "html-error":
        return 502, b"text/html", _PAGE
    if wire == "wrong-content-type":
        return answer.status, b"text/html; charset=utf-8", answer.body
    if wire == "invalid-json":
        return answer.status, kind, answer.body[:-1] + b",]"
    return answer.status, kind, answer.body, (b"content-encoding", b"gzip")  # bad-gzip


def _close(connection: Connection) -> None:
    connection.transport.close()


def _reset(connection: Connection) -> None:
    connection.transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, _RESET
    )
    connection.transport.abort()


def _send_garbage(connection: Connection) -> None:
    connection.transport.write(_GARBAGE)
    connection.transport.close()


_OF_CONNECTION = {"close": _close, "reset": _reset, "garbage": _send_garbage}


def _connection(scope: Scope) -> Connection:
    found: Connection = scope["extensions"][EXTENSION]
    return found


def _part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
