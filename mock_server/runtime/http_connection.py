"""A connection that sends requests and receives responses of HTTP/1.1, one after the other."""

import asyncio
import errno
import socket
from collections.abc import Sequence
from typing import cast

from mock_server.runtime.response_reader import InvalidResponse, ResponseReader
from mock_server.runtime.transport_errors import ExchangeFailed, describe_failure


class NotReceived(ExchangeFailed):
    """The server had closed the connection before it received any part of the request."""


class HttpConnection(asyncio.Protocol):
    """Carries one exchange at a time. It closes if the server sends anything in between."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._head: asyncio.Future[None] | None = None
        self._end: asyncio.Future[None] | None = None
        self._failure: ExchangeFailed | None = None
        self._is_sent = False
        self._parts_written = 0
        self.is_lost = False

    @property
    def may_continue(self) -> bool:
        """Whether the connection can carry another exchange."""
        reader = self._reader
        is_idle = reader is None or (reader.is_complete and reader.may_continue and self._is_sent)
        return is_idle and not self.is_lost

    async def exchange(
        self, parts: Sequence[bytes], reader: ResponseReader, pause_s: float = 0
    ) -> None:
        """Send the parts of a request, with a pause after each, and read the head of the response.

        Raise ExchangeFailed if there is no response. The body arrives in the reader afterwards;
        `ended` is done when it is complete.
        """
        loop = asyncio.get_running_loop()
        head = self._head = loop.create_future()
        self._end = None
        self._failure = None
        self._reader = reader
        self._is_sent = False
        self._parts_written = 0
        try:
            if self.is_lost:
                raise NotReceived("the server closed the connection")
            for part in parts:
                self._parts_written += 1
                self._open_transport.write(part)
                if pause_s:
                    await asyncio.wait([head], timeout=pause_s)
                if head.done():
                    break
            else:
                self._is_sent = True
            await head
        except BaseException:
            head.cancel()  # Nobody waits for it any more.
            self.abort()
            raise

    def ended(self) -> "asyncio.Future[None]":
        """Return a future that is done when the response has ended, completely or not."""
        if self._end is None:
            self._end = asyncio.get_running_loop().create_future()
            if self._has_ended:
                self._end.set_result(None)
        return self._end

    def check_body(self) -> None:
        """Raise ExchangeFailed if the response that has ended has no complete body."""
        if self._failure is not None:
            raise self._failure

    def rest(self) -> None:
        """Forget the exchange; the connection waits for the next one."""
        self._reader = self._head = self._end = None

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def _open_transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    @property
    def _has_ended(self) -> bool:
        reader = self._reader
        return self._failure is not None or reader is None or reader.is_complete

    # The event loop calls the methods below.
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader is None or self._has_ended:
            self.is_lost = True
            self.abort()
            return
        try:
            reader.feed(data)
        except InvalidResponse as error:
            self._fail(ExchangeFailed(f"invalid HTTP response: {error}"))
            return
        if reader.is_too_large:
            self._fail(ExchangeFailed("the body is too large"))
        self._report()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        reader = self._reader
        if reader is None or self._has_ended:
            return
        if isinstance(exc, OSError):
            self._failure = self._lost(describe_failure(exc), exc.errno)
        else:
            try:
                reader.end()
            except InvalidResponse as error:
                self._failure = self._lost(f"invalid HTTP response: {error}", self._socket_error())
        self._report()

    def _lost(self, reason: str, number: int | None) -> ExchangeFailed:
        """Return the failure of an exchange whose connection was closed with this error number.

        "Broken pipe" means that the server first closed its end, and then the system rejected what
        we had sent. If the server had received the request before, there is no such error. After
        the first part of a request, the error may be about a later one.
        """
        has_response = self._reader is not None and self._reader.has_started
        is_received = has_response or number != errno.EPIPE or self._parts_written > 1
        return ExchangeFailed(reason) if is_received else NotReceived(reason)

    def _socket_error(self) -> int:
        sock = self._open_transport.get_extra_info("socket")
        number: int = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return number

    def _fail(self, failure: ExchangeFailed) -> None:
        self._failure = failure
        self.is_lost = True
        self.abort()
        self._report()

    def _report(self) -> None:
        """Tell those who wait that the head has arrived, that the response has ended, or both."""
        reader, head, end = self._reader, self._head, self._end
        assert reader is not None
        if head is not None and not head.done():
            if reader.status is not None:
                head.set_result(None)
            elif self._failure is not None:
                head.set_exception(self._failure)
        if end is not None and not end.done() and self._has_ended:
            end.set_result(None)
