"""Requests written byte by byte, for what an HTTP client would not send."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse

from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S


@contextmanager
def connected(mock: RunningMock) -> Iterator[socket.socket]:
    name, _, port = mock.host.partition(":")
    with socket.create_connection((name, int(port)), PATIENCE_S) as line:
        yield line


def read_answer(line: socket.socket) -> tuple[HTTPResponse, bytes]:
    """Return one answer and its body."""
    with HTTPResponse(line) as answer:
        answer.begin()
        return answer, answer.read()


def exchange(mock: RunningMock, request: bytes) -> tuple[HTTPResponse, bytes]:
    """Send bytes on a fresh connection and read one answer."""
    with connected(mock) as line:
        line.sendall(request)
        return read_answer(line)
