"""A connection knows whether the server can have received a request whose exchange failed."""

import asyncio
from collections.abc import Callable

import pytest

from mock_server.runtime.http_connection import HttpConnection, NotReceived
from mock_server.runtime.response_reader import ResponseReader
from mock_server.runtime.transport_errors import ExchangeFailed

pytestmark = pytest.mark.anyio

BROKEN_PIPE = BrokenPipeError(32, "Broken pipe")


class LosingTransport(asyncio.Transport):
    """Loses the connection after some parts of a request."""

    def __init__(self, parts: int, lose: Callable[[], None]) -> None:
        super().__init__()
        self._parts = parts
        self._lose = lose

    def write(self, _: bytes | bytearray | memoryview) -> None:
        self._parts -= 1
        if self._parts == 0:
            self._lose()

    def abort(self) -> None:
        """Do nothing: the connection is lost already."""


async def failure_after(parts: int, *sent: bytes) -> type[ExchangeFailed]:
    """Return how an exchange of three parts fails if the pipe breaks after some of them.

    `sent` is what the server sends before that.
    """
    connection = HttpConnection()

    def lose() -> None:
        for data in sent:
            connection.data_received(data)
        connection.connection_lost(BROKEN_PIPE)

    connection.connection_made(LosingTransport(parts, lose))
    with pytest.raises(ExchangeFailed, match="broken pipe") as failed:
        await connection.exchange([b"1", b"2", b"3"], ResponseReader(100), pause_s=0.001)
    return failed.type


async def test_a_request_is_not_received_if_its_first_part_breaks_the_pipe() -> None:
    assert await failure_after(1) is NotReceived


async def test_a_request_may_be_received_if_a_later_part_breaks_the_pipe() -> None:
    assert await failure_after(2) is ExchangeFailed


async def test_a_request_may_be_received_if_a_response_begins_before_the_pipe_breaks() -> None:
    assert await failure_after(1, b"HTTP/1.1 2") is ExchangeFailed
