"""Server-sent events of the caller's sandbox."""

from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mock_server.control.authentication import Authenticator
from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.control.event_stream import EVENTS, EventStream
from mock_server.control.query import SandboxOfPage
from mock_server.domain.store import SandboxReader, Store

MEDIA_TYPE = "text/event-stream"
_HEADERS = {"Cache-Control": "no-store"}
_MAX_DIGITS = 15


class EventsResource:
    def __init__(
        self, store: Store, authenticator: Authenticator, *, real_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._real_ms = real_ms
        self._streams: set[EventStream] = set()
        self._is_closed = False

    def calls(self) -> list[Call]:
        return [
            Call(
                "GET",
                "/_mock/events",
                self.follow,
                "Stream server-sent events of the sandbox; `x-events` has the type of each."
                " With the header `Last-Event-ID`, the stream begins with what was missed",
                answer=str,
                media_type=MEDIA_TYPE,
                events=EVENTS,
                rejects=(403, 404, 503),
            )
        ]

    def close(self) -> None:
        """End all streams and reject new ones: the server is stopping. Any thread may call this."""
        self._is_closed = True
        for stream in tuple(self._streams):
            stream.end()

    async def follow(
        self, sandbox: SandboxReader, query: SandboxOfPage, request: Request
    ) -> Response:
        if self._is_closed:
            raise ControlError(503, "the server is stopping")
        if request.method == "HEAD":  # The response has no body, so it must end at once.
            return Response(media_type=MEDIA_TYPE, headers=_HEADERS)
        stream = EventStream(
            self._store,
            sandbox,
            self._authenticator,
            self._real_ms,
            last_seen=_number(request.headers.get("last-event-id", "")),
        )
        return StreamingResponse(self._events(stream), media_type=MEDIA_TYPE, headers=_HEADERS)

    async def _events(self, stream: EventStream) -> AsyncIterator[bytes]:
        self._streams.add(stream)
        if self._is_closed:
            stream.end()
        try:
            async for event in stream.events():
                yield event
        finally:
            self._streams.discard(stream)


def _number(event_id: str) -> int | None:
    """Return the number in a header; a browser repeats any id, also that of another server."""
    is_number = event_id.isascii() and event_id.isdigit() and len(event_id) <= _MAX_DIGITS
    return int(event_id) if is_number else None
