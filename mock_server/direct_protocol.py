"""The HTTP protocol with the direct path: it answers plain requests without parser and ASGI."""

import asyncio
from typing import Any, cast

from mock_server.http_protocol import HttpProtocol
from mock_server.web.direct import DirectPath, RequestFailed
from mock_server.web.request import LocalAddress

# How many responses one connection may get before other connections are served.
_MAX_AT_ONCE = 100


class DirectProtocol(HttpProtocol):
    """Answers plain requests itself and gives all other data to the parser.

    It answers only between requests of the ordinary way, so the responses stay in order. It stops
    reading while the client does not read its responses.
    """

    def __init__(self, *args: Any, direct: DirectPath, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._path = direct
        self._held = b""  # Received, but not answered and not given to the parser yet.
        self._lacks_body = False  # Whether `_held` is a plain request with an incomplete body.
        self._is_stopping = False
        self._answered_s = 0.0  # The time of the last direct response, on the loop's clock.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = LocalAddress(str(self.scheme), cast("tuple[str, int]", self.server))

    def data_received(self, data: bytes) -> None:
        if self._held:
            data = self._held + data
            if not self._lacks_body:
                self._held = data
                return
            self._held = b""
        self._serve(data)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.loop.call_soon(self._go_on)

    def connection_lost(self, exc: Exception | None) -> None:
        self._held = b""
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it is idle; direct responses do not restart the timer."""
        left_s = self._answered_s + self.timeout_keep_alive - self.loop.time()
        if self._has_waiting_requests:  # Their client reads too slowly.
            self._wait_for_idleness(self.timeout_keep_alive)
        elif left_s > 0:
            self._wait_for_idleness(left_s)
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """Close the connection, after the responses to requests that have arrived."""
        if self._has_waiting_requests:
            self._is_stopping = True
        else:
            super().shutdown()

    @property
    def _has_waiting_requests(self) -> bool:
        return bool(self._held) and not self._lacks_body

    def _serve(self, data: bytes) -> None:
        if not self.is_idle():
            super().data_received(data)
            return
        if self.flow.write_paused:
            self._hold(data)
            return
        try:
            served = self._path.serve(data, _MAX_AT_ONCE, self._address)
        except RequestFailed as failed:
            self.transport.write(b"".join(failed.responses))
            self.transport.close()
            return
        responses, end = served.responses, served.end
        if responses:
            self._answered_s = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._wait_for_idleness(self.timeout_keep_alive)
            self.transport.write(responses[0] if len(responses) == 1 else b"".join(responses))
        if end == len(data):
            return
        if served.lacks_body:
            self._unset_keepalive_if_required()
            self._held, self._lacks_body = data[end:], True
        elif len(responses) == _MAX_AT_ONCE:
            self._hold(data[end:])
        else:
            super().data_received(data[end:])

    def _hold(self, data: bytes) -> None:
        """Keep data until the client has read enough, or other connections were served."""
        self._held, self._lacks_body = data, False
        self.flow.pause_reading()
        if not self.flow.write_paused:
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._has_waiting_requests or self.transport.is_closing():
            return
        data, self._held = self._held, b""
        self.flow.resume_reading()
        self._serve(data)
        if self._is_stopping:
            self.shutdown()

    def _wait_for_idleness(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )
