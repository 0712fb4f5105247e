"""Server-sent events of the caller's sandbox."""

from collections.abc import AsyncIterator, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mock_server.control.authentication import Authenticator
from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.control.event_feed import EventFeed
from mock_server.control.event_stream import EventStream
from mock_server.control.event_text import EVENTS
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
        self._feeds: dict[str, EventFeed] = {}  # By sandbox id.
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
        last_seen = _number(request.headers.get("last-event-id", ""))
        events = self._events(sandbox, last_seen)
        return StreamingResponse(events, media_type=MEDIA_TYPE, headers=_HEADERS)

    def feed(self, sandbox: SandboxReader) -> EventFeed:
        """Return the feed of a sandbox, which all its streams share."""
        feed = self._feeds.get(sandbox.id)
        if feed is None:
            feed = self._feeds[sandbox.id] = EventFeed(
                self._store,
                sandbox,
                partial(self._authenticator.without_key, sandbox.id),
                real_ms=self._real_ms,
                when_unused=lambda: self._feeds.pop(sandbox.id, None),
            )
        return feed

    async def _events(self, sandbox: SandboxReader, last_seen: int | None) -> AsyncIterator[bytes]:
        stream = EventStream(self.feed(sandbox), last_seen=last_seen)
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
