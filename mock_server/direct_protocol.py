"""The HTTP protocol with the direct path: it answers plain requests without parser and ASGI."""

import asyncio
import logging
import math
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, cast

from mock_server.domain.errors import StoreUnavailable
from mock_server.http_rejections import SLOW_BODY, Rejection
from mock_server.http_timeouts import TimedProtocol
from mock_server.web.direct import MAX_BYTES_AT_ONCE, DirectPath, RequestFailed
from mock_server.web.request import LocalAddress

log = logging.getLogger("mock_server")

# How many responses one connection may get before other connections are served.
_MAX_AT_ONCE = 100


class DirectProtocol(TimedProtocol):
    """Answers plain requests itself and gives all other data to the parser.

    It answers only between requests of the ordinary way, so the responses stay in order. It stops
    reading while the client does not read its responses. While the store works on direct
    responses, the connection is busy: further data waits.
    """

    def __init__(self, *args: Any, direct: DirectPath, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._path = direct
        self._held = b""  # Received, but not answered and not given to the parser yet.
        self._lacks_body = False  # Whether `_held` is a plain request with an incomplete body.
        self._is_busy = False
        self._is_stopping = False
        self._is_half_closed = False  # The client has stopped sending while the store worked.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = LocalAddress(str(self.scheme), cast("tuple[str, int]", self.server))

    def data_received(self, data: bytes) -> None:
        if self._is_busy:
            self._hold(self._held + data)
            return
        if self._held:
            data = self._held + data
            if not self._lacks_body:
                self._held = data
                return
            self._held = b""
        self._serve(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        if not self._is_busy or self.scheme == "https":
            return super().eof_received()
        self._is_half_closed = True
        return True

    def resume_writing(self) -> None:
        super().resume_writing()
        self.loop.call_soon(self._go_on)

    def connection_lost(self, exc: Exception | None) -> None:
        self._held = b""
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection, after the responses to requests that have arrived."""
        if self._has_waiting_requests:
            self._is_stopping = True
        else:
            super().shutdown()

    @property
    def is_busy(self) -> bool:
        """Whether the store works on direct responses of this connection."""
        return self._is_busy

    @property
    def _has_waiting_requests(self) -> bool:
        return self._is_busy or (bool(self._held) and not self._lacks_body)

    def _deadline(self) -> tuple[float, Rejection | None]:
        if self._has_waiting_requests:  # Their client reads too slowly, or the store works on them.
            return math.inf, None
        if self._held:
            return self._received_s + self._timeouts.body_s, SLOW_BODY
        return super()._deadline()

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
            self._respond(failed.responses, is_last=True)
            return
        responses, end = served.responses, served.end
        if served.answer is not None:
            self._begin(served.answer, responses, data[:end])
        elif responses:
            self._respond(responses)
        if end == len(data):
            return
        if self._is_busy or len(responses) == _MAX_AT_ONCE or end >= MAX_BYTES_AT_ONCE:
            self._hold(data[end:])
        elif served.lacks_body:
            self._held, self._lacks_body = data[end:], True
            self._received_s = self.loop.time()
            self._look_in(self._timeouts.body_s)
        else:
            super().data_received(data[end:])

    def _respond(self, responses: Sequence[bytes], *, is_last: bool = False) -> None:
        """Send responses, after the store has written what they depend on."""
        if self._path.is_durable:
            self._is_busy = True
            self._path.after_persist(partial(self._send_persisted, responses, is_last=is_last))
        else:
            self._send(responses, is_last=is_last)

    def _send_persisted(
        self, responses: Sequence[bytes], error: StoreUnavailable | None, *, is_last: bool
    ) -> None:
        self._is_busy = False
        if self.transport.is_closing():
            return
        if error is not None:
            responses = [self._path.unavailable(error) for _ in responses]
        self._send(responses, is_last=is_last)
        if self._has_more_to_do:
            self.loop.call_soon(self._go_on)

    def _begin(
        self, answer: Coroutine[Any, Any, None], responses: Sequence[bytes], request: bytes
    ) -> None:
        """Answer a request in a task, because the store may wait."""
        self._is_busy = True
        task = self.loop.create_task(self._finish(answer, responses, request))
        self.tasks.add(task)  # A server that stops waits for these.
        task.add_done_callback(self.tasks.discard)

    async def _finish(
        self, answer: Coroutine[Any, Any, None], responses: Sequence[bytes], request: bytes
    ) -> None:
        is_last = False
        try:
            await answer
        except RequestFailed as failed:
            responses, is_last = failed.responses, True
        except asyncio.CancelledError:
            log.warning("a request was cancelled because the server stops")
            self.transport.close()
            raise
        self._is_busy = False
        if self.transport.is_closing():  # The commands are complete, but the client is gone.
            return
        if responses:
            self._send(responses, is_last=is_last)
        else:
            super().data_received(request)
        if self._has_more_to_do:
            self._go_on()

    def _send(self, responses: Sequence[bytes], *, is_last: bool) -> None:
        self._answered_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_in(self._timeouts.keep_alive_s)
        self.transport.write(responses[0] if len(responses) == 1 else b"".join(responses))
        if is_last:
            self.transport.close()

    def _hold(self, data: bytes) -> None:
        """Keep data until the client has read enough, or other connections were served."""
        self._held, self._lacks_body = data, False
        self.flow.pause_reading()
        if not self.flow.write_paused and not self._is_busy:
            self.loop.call_soon(self._go_on)

    @property
    def _has_more_to_do(self) -> bool:
        return bool(self._held) or self._is_half_closed or self._is_stopping

    def _go_on(self) -> None:
        """Serve the data that was held, then close the connection if it has to be closed."""
        if self._is_busy or self.transport.is_closing():
            return
        if self._has_waiting_requests:
            data, self._held = self._held, b""
            self.flow.resume_reading()
            self._serve(data)
        if self._has_waiting_requests:
            return
        if self._is_half_closed:
            self._is_half_closed = False
            if not super().eof_received():
                self.transport.close()
        if self._is_stopping:
            self.shutdown()
