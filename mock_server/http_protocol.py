"""The HTTP protocol of uvicorn with extensions for the mock.

It ignores upgrades, limits the size of request headers and gives wire faults access to the
connection. It answers all complete requests of a connection before it rejects an invalid one, and
also after the client has stopped sending.

This is the only module that uses uvicorn's protocol classes. uvicorn does not document them, so
pyproject.toml limits its version and tests/mock_server/test_uvicorn_api.py checks them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Collection
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server.http_framing import RequestFraming
from mock_server.http_rejections import INVALID, TLS_HANDSHAKE, Rejection
from mock_server.web.wire_faults import EXTENSION

log = logging.getLogger("mock_server")

_TLS_RECORD = b"\x16\x03"  # The type of the record, and the major version of TLS.


class HttpProtocol(HttpToolsProtocol):
    """Responds to all complete requests of a connection, in order, wherever its data is split.

    A request that offers an upgrade, such as to HTTP/2, is served as if it offered none. RFC 9110
    §7.8 allows that, and Java's HTTP client offers h2c with each first request.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._application: ASGIApp = cast("ASGIApp", self.app)
        self.app = cast("Any", self._run)
        self._framing = RequestFraming()
        self._upgrade_headers: list[tuple[bytes, bytes]] = []  # The request offers an upgrade.
        self._chunks: list[bytes] = []  # Parsed, but not in the body of the request yet.
        self._lost = asyncio.Event()
        self._running: RequestResponseCycle | None = None  # It handles the current request.
        self._is_ending = False  # Whether no further request is served.
        self._rejection: Rejection | None = None  # Sent after the responses, before the end.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _PipelineFlow(transport, self.pipeline)

    def is_idle(self) -> bool:
        """Tell whether no request is being received or answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return (
            self._framing.is_at_start()
            and (cycle is None or cycle.response_complete)
            and not self._is_ending
        )

    def data_received(self, data: bytes) -> None:
        framing, start = self._framing, 0
        while start < len(data) and not self._is_ending and not self.transport.is_closing():
            end = framing.end_of_piece(data, start)
            piece = data[start:end]
            is_first = framing.is_in_head and framing.head_bytes == len(piece)
            if is_first and piece.startswith(_TLS_RECORD):
                self._reject_tls()
            elif framing.excess is not None:
                self._reject(framing.excess)
            else:
                super().data_received(piece)
                if self._upgrade_headers:
                    self._parse_without_upgrade()
                self._add_to_body()
            start = end

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing, because the request is served."""

    def _parse_without_upgrade(self) -> None:
        """Parse a head that offers an upgrade again, without the offer.

        With it, the parser would treat the body as data of the new protocol and drop it.
        """
        version = self.parser.get_http_version().encode()
        head = [b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)]
        head += [b"%b: %b\r\n" % each for each in self.headers if each[0] != b"upgrade"]
        super().data_received(b"".join([*head, b"\r\n"]))

    def _reject_tls(self) -> None:
        host, port = self._peer()
        log.warning(
            "%s port %d sent a TLS handshake to this http port; use an address that begins with"
            " http://, or start the server with --tls",
            host,
            port,
            extra={"summary": f"{host} sent a TLS handshake to this http port"},
        )
        self._close_after_responses(TLS_HANDSHAKE)

    def _reject(self, rejection: Rejection) -> None:
        host, port = self._peer()
        problem = f"got status {rejection.status}: {rejection.detail}"
        log.warning(
            "a request from %s port %d %s",
            host,
            port,
            problem,
            extra={"summary": f"a request from {host} {problem}"},
        )
        self._close_after_responses(rejection)

    def _peer(self) -> tuple[str, int]:
        return self.client or ("a client", 0)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return True to keep the connection of a client that may still read responses."""
        self._lost.set()
        newest: RequestResponseCycle | None = self.cycle
        if self.scheme == "https" or (newest is not None and newest.chunked_encoding):
            return False  # TLS closes both directions, and a stream of events has no end.
        self._close_after_responses(None)
        return not self.transport.is_closing()

    def shutdown(self) -> None:
        """Close the connection once its complete requests have their responses."""
        newest: RequestResponseCycle | None = self.cycle
        if newest is not None and newest.more_body and not self._is_long(newest):
            self._close_after_responses(None)
        else:
            super().shutdown()

    def stop_answering(self) -> None:
        """Send no more responses, and close the connection once the written data is sent."""
        if self._running is not None:
            self._running.disconnected = True  # Its task is cancelled, and sends nothing more.
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._close_after_responses(INVALID)

    def _close_after_responses(self, rejection: Rejection | None) -> None:
        """Respond to all complete requests, then send the rejection, if there is one, and close."""
        if self._is_ending:
            return
        newest: RequestResponseCycle | None = self.cycle
        is_queued = bool(self.pipeline) and self.pipeline[0][0] is newest
        if newest is not None and newest.more_body and newest.response_started:
            rejection = None  # The request has its response already.
            if not newest.response_complete:
                self._is_ending = True
                return
        if newest is not None and newest.more_body and is_queued:
            self.pipeline.popleft()
        elif newest is None or newest.more_body or newest.response_complete:
            self._close(rejection)
            return
        self._is_ending, self._rejection = True, rejection

    def on_response_complete(self) -> None:
        was_last = not self.pipeline
        super().on_response_complete()
        if was_last and self._is_ending and not self.transport.is_closing():
            self._close(self._rejection)

    def _close(self, rejection: Rejection | None) -> None:
        if rejection is not None:
            self.transport.write(rejection.response)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost.set()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._connection = _RequestConnection(self.transport, self._lost)
        extensions: dict[str, Any] = {EXTENSION: self._connection}
        self.scope["extensions"] = extensions

    def on_headers_complete(self) -> None:
        if self._offers_upgrade():
            self._upgrade_headers = self.headers
            return
        if self._upgrade_headers:
            self.headers[:], self._upgrade_headers = self._upgrade_headers, []
        self._framing.begin_body(self.headers)
        super().on_headers_complete()
        self._connection.cycle = self.cycle
        self.headers = []  # Trailers of the body are no headers: they must not replace the key.

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)

    def _add_to_body(self) -> None:
        """Add chunks to the body of the request, all at once: uvicorn copies the body each time."""
        if self._chunks:
            body = b"".join(self._chunks)
            self._chunks.clear()
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._offers_upgrade():
            return
        self._add_to_body()
        self._framing.begin_head()
        super().on_message_complete()

    def _run(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        cycle: RequestResponseCycle = scope["extensions"][EXTENSION].cycle
        self._running = cycle
        if not cycle.more_body or cycle.waiting_for_100_continue:
            return self._application(scope, receive, send)
        return self._run_complete(cycle, scope, receive, send)

    async def _run_complete(
        self, cycle: RequestResponseCycle, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Run the application once a request is complete, or if its body is too long to wait for.

        So the effect of an invalid or interrupted request does not depend on timing.
        """
        while cycle.more_body and not cycle.disconnected and not self._is_long(cycle):
            self.flow.resume_reading()
            cycle.message_event.clear()
            try:
                await cycle.message_event.wait()
            except asyncio.CancelledError:  # The server stops, and the request has not begun.
                cycle.disconnected = True
                self.transport.close()
        cycle.message_event.set()
        if not cycle.disconnected:
            await self._application(scope, receive, send)

    def _is_long(self, cycle: RequestResponseCycle) -> bool:
        return len(cycle.body) + (self._framing.left_bytes or 0) > HIGH_WATER_LIMIT

    def _offers_upgrade(self) -> bool:
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"


class _PipelineFlow(FlowControl):
    """Stops reading from a client while complete requests of it wait for their responses.

    uvicorn resumes reading after each response, so a client that never reads could fill the memory.
    """

    def __init__(self, transport: asyncio.Transport, pipeline: Collection[object]) -> None:
        super().__init__(transport)
        self._pipeline = pipeline

    def resume_reading(self) -> None:
        if not self._pipeline:
            super().resume_reading()


class _RequestConnection:
    """The connection of one request, for wire faults."""

    __slots__ = ("_lost", "cycle", "transport")

    def __init__(self, transport: asyncio.Transport, lost: asyncio.Event) -> None:
        self.transport = transport
        self.cycle: RequestResponseCycle | None = None
        self._lost = lost

    async def stopped_sending(self) -> None:
        await self._lost.wait()

    async def lost(self) -> None:
        """Wait until the connection is lost.

        uvicorn marks only the newest of pipelined requests as disconnected, so this marks its own.
        """
        await self._lost.wait()
        if self.cycle is not None:
            self.cycle.disconnected = True
