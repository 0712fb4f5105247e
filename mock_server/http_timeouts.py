"""End connections whose client takes too long, and let clients read the last response."""

import asyncio
import logging
import math
from dataclasses import dataclass
from typing import Any, Self, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from mock_server.connection_limit import ConnectionLimit
from mock_server.http_protocol import HttpProtocol
from mock_server.http_rejections import SLOW_BODY, SLOW_HEAD, TOO_MANY_CONNECTIONS, Rejection
from mock_server.settings import Settings

log = logging.getLogger("mock_server")

# A client that still sends is given this time to read the last response (as by nginx).
_LINGER_S = 30.0
_SHORT_LINGER_S = 1.0
_LONGEST_S = 86_400.0  # A timer cannot be set to infinity.


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a client may take. Infinity is no limit."""

    head_s: float = math.inf  # From the first byte of a request to the end of its headers.
    body_s: float = math.inf  # Between two parts of a body, of a request or a response.
    keep_alive_s: float = math.inf  # Between two requests.

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            head_s=_seconds(settings.head_timeout_ms),
            body_s=_seconds(settings.body_timeout_ms),
            keep_alive_s=_seconds(settings.keep_alive_timeout_ms),
        )


class TimedProtocol(HttpProtocol):
    """Closes a connection whose client is idle, or takes too long to send or to read.

    A client that waits for the server is not idle. A connection has one timer, uvicorn's own. It
    checks whether the client is late, and otherwise is set to the time when it will be late.

    A connection that ends while its client still sends is first closed in one direction only.
    Otherwise the system would reset it, and the client might lose the last response.
    """

    def __init__(
        self,
        *args: Any,
        timeouts: Timeouts,
        limit: ConnectionLimit = ConnectionLimit(),  # noqa: B008  # It is immutable.
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.timeout_keep_alive = cast("int", min(timeouts.keep_alive_s, _LONGEST_S))
        self._timeouts = timeouts
        self._limit = limit
        self._answered_s = 0.0  # When the connection began, or the last response was sent.
        self._began_s = 0.0  # When the last request began to arrive.
        self._received_s = 0.0
        self._unsent_bytes = 0
        self._unsent_s = 0.0  # When `_unsent_bytes` last changed.
        self._lingers_until_s: float | None = None
        self._may_linger = True  # Whether the client may still send, and the server still runs.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._answered_s = self.loop.time()
        self._response_transport = _ResponseTransport(self, transport)
        if self._limit.is_exceeded(len(self.connections)):
            self._reject_connection()
        else:
            self._look_in(self._timeouts.keep_alive_s)

    def data_received(self, data: bytes) -> None:
        self._received_s = self.loop.time()
        super().data_received(data)
        self._look_at_request()

    def eof_received(self) -> bool:  # type: ignore[override]
        self._may_linger = False
        return self._lingers_until_s is None and super().eof_received()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_in(self._timeouts.body_s)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def shutdown(self) -> None:
        self._may_linger = False
        if self._lingers_until_s is None:
            super().shutdown()
        else:
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._began_s = self._received_s

    def on_headers_complete(self) -> None:
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.cycle.transport = cast("asyncio.Transport", self._response_transport)

    def on_response_complete(self) -> None:
        self._answered_s = self.loop.time()
        super().on_response_complete()
        if self.transport.is_closing():
            self._look_in(self._timeouts.body_s)
        elif self._lingers_until_s is not None:
            self._look_in(_LINGER_S)
        else:
            self._look_at_request()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if its client is late; otherwise set the timer again."""
        self.timeout_keep_alive_task = None
        now_s = self.loop.time()
        if self._reads_nothing(now_s):
            self.transport.abort()
            return
        late_s, rejection = self._deadline()
        if self.transport.is_closing():
            self._look_in(self._timeouts.body_s)
        elif late_s > now_s:
            self._look_in(min(late_s - now_s, self._timeouts.body_s))
        elif rejection is None:
            self.transport.close()
            self._look_in(self._timeouts.body_s)
        else:
            self._reject(rejection)

    def close_after_response(self) -> None:
        """Close the connection after the last response."""
        if self.transport.is_closing():
            return
        if self.pipeline or not self._framing.is_at_start():
            self._linger()
        else:
            self.transport.close()

    def _reject_connection(self) -> None:
        log.warning(
            "%d connections are open, as many as the limit of open files (%d) allows; new ones get"
            " status 503 (raise the limit with ulimit -n)",
            self._limit.max_connections,
            self._limit.max_files,
        )
        if self._limit.is_near_end(len(self.connections)):
            self.transport.abort()
        else:
            self.transport.write(TOO_MANY_CONNECTIONS.response)
            self._linger(_SHORT_LINGER_S)

    def _deadline(self) -> tuple[float, Rejection | None]:
        """Return when the client is late, and what to send to it then."""
        timeouts, framing = self._timeouts, self._framing
        if self._lingers_until_s is not None:
            return self._lingers_until_s, None
        if self._is_waiting_for_server():
            return math.inf, None
        if framing.is_at_start():
            return self._answered_s + timeouts.keep_alive_s, None
        if framing.is_in_head:
            return max(self._began_s, self._answered_s) + timeouts.head_s, SLOW_HEAD
        return self._received_s + timeouts.body_s, SLOW_BODY

    def _is_waiting_for_server(self) -> bool:
        """Tell whether the client waits for a response, or for the server to read."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or self.flow.read_paused:
            return cycle is not None
        if cycle.more_body:
            return cycle.waiting_for_100_continue
        return not cycle.response_complete

    def _reads_nothing(self, now_s: float) -> bool:
        """Tell whether the client has not read anything for too long."""
        unsent_bytes = self.transport.get_write_buffer_size()
        if unsent_bytes != self._unsent_bytes:
            self._unsent_bytes, self._unsent_s = unsent_bytes, now_s
        return unsent_bytes > 0 and now_s - self._unsent_s >= self._timeouts.body_s

    def _look_at_request(self) -> None:
        """Set the timer for a request that has not arrived completely."""
        if not self._framing.is_at_start() and self._lingers_until_s is None:
            late_s, _ = self._deadline()
            if late_s < math.inf:
                self._look_in(max(0.0, late_s - self.loop.time()))

    def _look_in(self, seconds: float) -> None:
        """Check whether the client is late, after this time or earlier."""
        timer = self.timeout_keep_alive_task
        if timer is not None:
            if timer.when() <= self.loop.time() + seconds:
                return
            timer.cancel()
        self.timeout_keep_alive_task = self.loop.call_later(
            min(seconds, _LONGEST_S), self.timeout_keep_alive_handler
        )

    def _close(self, rejection: Rejection | None) -> None:
        if self._lingers_until_s is not None:
            return
        if rejection is None:
            super()._close(rejection)
        else:
            self.transport.write(rejection.response)
            self._linger()

    def _linger(self, seconds: float = _LINGER_S) -> None:
        """Send nothing more, and drop what the client still sends, until it closes its side."""
        self._is_ending = True
        self.pipeline.clear()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:  # Its body never becomes complete.
            cycle.disconnected = True
            cycle.message_event.set()
        if self._may_linger and self.transport.can_write_eof():
            self._lingers_until_s = self.loop.time() + seconds
            self.transport.write_eof()
            self.flow.resume_reading()
            self._look_in(seconds)
        else:
            self.transport.close()


class _ResponseTransport:
    """The transport for the responses of uvicorn, which close it after the last one.

    uvicorn also writes the response to a pipelined request whose connection is lost.
    """

    __slots__ = ("_protocol", "_write", "is_closing")

    def __init__(self, protocol: TimedProtocol, transport: asyncio.Transport) -> None:
        self._protocol = protocol
        self._write = transport.write
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if not self.is_closing():
            self._write(data)

    def close(self) -> None:
        self._protocol.close_after_response()


def _seconds(milliseconds: int) -> float:
    return milliseconds / 1000 if milliseconds else math.inf
