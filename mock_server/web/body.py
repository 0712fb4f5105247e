"""Read the body of a request, up to a maximum size."""

from starlette.types import Message, Receive

from mock_server.web.content_length import content_length
from mock_server.web.request import Headers


class BodyTooLarge(Exception):
    """The body has more bytes than allowed."""


class ClientGone(Exception):
    """The client disconnected before it had sent the complete body."""


async def read_body(headers: Headers, receive: Receive, max_bytes: int) -> bytes:
    """Return the complete body.

    Raises BodyTooLarge as soon as more than `max_bytes` bytes are announced or received, and
    ClientGone if the client disconnects before the end.
    """
    if content_length(headers.get(b"content-length", b"0")) > max_bytes:
        raise BodyTooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        message, body = await _read_on(message, receive, max_bytes)
    if len(body) > max_bytes:
        raise BodyTooLarge
    if message["type"] == "http.disconnect":
        raise ClientGone
    return body


async def _read_on(message: Message, receive: Receive, max_bytes: int) -> tuple[Message, bytes]:
    """Return the last message and the complete body, or its start if it is too large."""
    body = bytearray(message.get("body", b""))
    while message.get("more_body") and len(body) <= max_bytes:
        message = await receive()
        body += message.get("body", b"")
    return message, bytes(body)


def is_json(headers: Headers) -> bool:
    """Tell whether the body is declared as JSON in UTF-8 (SUB-2)."""
    value = headers.get(b"content-type", b"")
    kind, *parameters = value.decode("latin-1").casefold().split(";")
    charsets = [
        parameter.partition("=")[2].strip().strip('"')
        for parameter in parameters
        if parameter.strip().startswith("charset")
    ]
    return kind.strip() == "application/json" and set(charsets) <= {"utf-8", "utf8"}
