"""Reads the body of a request within a bound."""

from starlette.types import Receive

from mock_server.web.tenants import Headers


class BodyTooLarge(Exception):
    pass


class ClientGone(Exception):
    pass


async def read_body(headers: Headers, receive: Receive, max_bytes: int) -> bytes:
    """Return the whole body.

    Raises BodyTooLarge as soon as it is known to exceed the bound, ClientGone when the client
    leaves before it has sent everything.
    """
    declared = next((value for name, value in headers if name == b"content-length"), b"")
    if declared.isdigit() and int(declared) > max_bytes:
        raise BodyTooLarge
    message = await receive()
    chunk: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        return _within(chunk, max_bytes)
    chunks, size = [chunk], len(chunk)
    while message.get("more_body"):
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > max_bytes:
            raise BodyTooLarge
    if message["type"] == "http.disconnect":
        raise ClientGone
    return b"".join(chunks)


def _within(body: bytes, max_bytes: int) -> bytes:
    if len(body) > max_bytes:
        raise BodyTooLarge
    return body


def is_json(headers: Headers) -> bool:
    """Tell whether the body is declared as JSON in UTF-8 (SUB-2)."""
    for name, value in headers:
        if name == b"content-type":
            if value == b"application/json":
                return True
            kind, *parameters = value.decode("latin-1").casefold().split(";")
            charsets = [
                parameter.partition("=")[2].strip().strip('"')
                for parameter in parameters
                if parameter.strip().startswith("charset")
            ]
            return kind.strip() == "application/json" and set(charsets) <= {"utf-8", "utf8"}
    return False
