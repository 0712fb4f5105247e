"""Reads the body of a request within a bound."""

from starlette.types import Message, Receive

from mock_server.web.request import Headers


class BodyTooLarge(Exception):
    pass


class ClientGone(Exception):
    pass


async def read_body(headers: Headers, receive: Receive, max_bytes: int) -> bytes:
    """Return the whole body.

    Raises BodyTooLarge as soon as it is known to exceed the bound, ClientGone when the client
    leaves before it has sent everything.
    """
    if int(headers.get(b"content-length", 0)) > max_bytes:  # the server has seen to its form
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
    """Return the last message and the whole body, or a little more than the bound of it."""
    body = bytearray(message.get("body", b""))
    while message.get("more_body") and len(body) <= max_bytes:
        message = await receive()
        body += message.get("body", b"")
    return message, bytes(body)


def is_json(headers: Headers) -> bool:
    """Tell whether the body is declared as JSON in UTF-8 (SUB-2)."""
    value = headers.get(b"content-type", b"")
    if value == b"application/json":
        return True
    kind, *parameters = value.decode("latin-1").casefold().split(";")
    charsets = [
        parameter.partition("=")[2].strip().strip('"')
        for parameter in parameters
        if parameter.strip().startswith("charset")
    ]
    return kind.strip() == "application/json" and set(charsets) <= {"utf-8", "utf8"}
