"""Read the body of a request from a stream, with a declared length or in chunks."""

from email.message import Message
from io import BufferedIOBase

_LINE_MAX_BYTES = 8192
_TRAILERS_MAX = 100


class InvalidBody(Exception):
    """The body is malformed, truncated or too long, so the connection must be closed."""


def read_request_body(stream: BufferedIOBase, headers: Message, max_bytes: int) -> bytes:
    """Return the body of a request (RFC 9112 §6). Raise InvalidBody.

    A server may send a callback with `Transfer-Encoding: chunked` instead of `Content-Length`.
    """
    if headers.get("Transfer-Encoding", "").strip().lower() == "chunked":
        return _read_chunks(stream, max_bytes)
    return _read_exactly(stream, _size(headers.get("Content-Length", "0"), 10), max_bytes)


def _read_chunks(stream: BufferedIOBase, max_bytes: int) -> bytes:
    body = bytearray()
    while size := _size(_read_line(stream).partition(b";")[0].decode("latin-1"), 16):
        body += _read_exactly(stream, size, max_bytes - len(body))
        if _read_line(stream):
            raise InvalidBody("a chunk is longer than its size")
    for _ in range(_TRAILERS_MAX):
        if not _read_line(stream):
            return bytes(body)
    raise InvalidBody(f"more than {_TRAILERS_MAX} trailers")


def _read_exactly(stream: BufferedIOBase, size: int, max_bytes: int) -> bytes:
    if size > max_bytes:
        raise InvalidBody("the body is too long")
    part = stream.read(size)
    if len(part) < size:
        raise InvalidBody("the body is truncated")
    return part


def _read_line(stream: BufferedIOBase) -> bytes:
    line = stream.readline(_LINE_MAX_BYTES)
    if not line.endswith(b"\n"):
        raise InvalidBody("a line of the body is truncated or too long")
    return line.rstrip(b"\r\n")


def _size(written: str, base: int) -> int:
    """Return a size without sign, spaces or underscores, which `int` would accept."""
    text = written.strip()
    if not 0 < len(text) < 16 or set(text.lower()) - set("0123456789abcdef"[:base]):
        raise InvalidBody(f"{text[:20]!r} is not a size")
    return int(text, base)
