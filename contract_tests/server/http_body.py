"""Reads the body of an HTTP/1.1 request from a stream, with a bound on its size."""

from email.message import Message
from io import BufferedIOBase
from typing import Final

_LINE_MAX: Final = 8192  # bytes


class InvalidBodyError(Exception):
    """The body is malformed, truncated or too long; the connection cannot be used any more."""


def read_body(stream: BufferedIOBase, headers: Message, body_max: int) -> bytes:
    """Return the body of a request, which may be chunked (RFC 9112 §7.1). Trailers are dropped.

    Raises:
        InvalidBodyError: The body is malformed, truncated or longer than `body_max` bytes.
    """
    coding = headers.get("Transfer-Encoding")
    if coding is None:
        size = _number(headers.get("Content-Length", "0").strip(), 10)
        if size > body_max:
            raise InvalidBodyError(f"the body is longer than {body_max} bytes")
        return _exactly(stream, size)
    if coding.strip().lower() != "chunked":
        raise InvalidBodyError(f"Transfer-Encoding: must be chunked (got {coding!r})")
    body = bytearray()
    while size := _number(_line(stream).partition(";")[0].strip(), 16):
        if len(body) + size > body_max:
            raise InvalidBodyError(f"the body is longer than {body_max} bytes")
        body += _exactly(stream, size)
        if _line(stream):
            raise InvalidBodyError("a chunk is longer than its size says")
    trailers = 0
    while line := _line(stream):
        trailers += len(line)
        if trailers > _LINE_MAX:
            raise InvalidBodyError("the trailers are too long")
    return bytes(body)


def _exactly(stream: BufferedIOBase, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise InvalidBodyError("the body is truncated")
    return content


def _line(stream: BufferedIOBase) -> str:
    line = stream.readline(_LINE_MAX)
    if not line.endswith(b"\n"):
        raise InvalidBodyError("the body is truncated, or a line of it is too long")
    return line.rstrip(b"\r\n").decode("latin-1")


def _number(text: str, base: int) -> int:
    is_number = text.isascii() and text.isalnum() and len(text) < 16
    try:
        return int(text, base) if is_number else int("", base)
    except ValueError as error:
        raise InvalidBodyError(f"{text[:20]!r} is no size") from error
