"""Send requests that a usual client would not send: many at once, and without reading."""

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.errors import BenchError
from benchmarks.mock import Mock

_TIMEOUT_S = 120
_CHUNK_BYTES = 1 << 16


def request(mock: Mock, method: str, path: str, body: bytes = b"") -> bytes:
    """Return a request with the key of a sandbox."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {mock.key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def pipelined(mock: Mock, requests: Sequence[bytes]) -> None:
    """Send requests at once, and read until the last response has begun.

    Raise BenchError if one of them fails.
    """
    with _connection(mock) as connection:
        connection.sendall(b"".join(requests))
        received = b""
        while received.count(b"HTTP/1.1 ") < len(requests):
            chunk = connection.recv(_CHUNK_BYTES)
            if not chunk:
                break
            received += chunk
    if len(re.findall(rb"HTTP/1\.1 20[04] ", received)) < len(requests):
        raise BenchError(f"a request failed: {received[-500:]!r}")


@contextmanager
def open_requests(mock: Mock, requests: Sequence[bytes]) -> Iterator[None]:
    """Send each request on a connection of its own, and close the connections in the end."""
    with ExitStack() as connections:
        for each in requests:
            connections.enter_context(_connection(mock)).sendall(each)
        pipelined(mock, [request(mock, "GET", "/_mock/health")])  # They are being handled now.
        yield


def _connection(mock: Mock) -> socket.socket:
    return socket.create_connection(("127.0.0.1", mock.server.port), _TIMEOUT_S)
