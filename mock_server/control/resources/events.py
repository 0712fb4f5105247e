"""What happens in the caller's sandbox, as server-sent events."""

from collections.abc import AsyncIterator, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mock_server.control.authentication import Authenticator
from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.control.event_stream import EventStream
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.query import SandboxOfPage
from mock_server.control.task_follower import Transition
from mock_server.domain.news import Change
from mock_server.domain.store import ClockReading, Sandbox

MEDIA_TYPE = "text/event-stream"
_HEADERS = {"Cache-Control": "no-store"}


class Nothing(msgspec.Struct):
    """An object without members: the name of the event says all."""


class EventsResource:
    def __init__(self, authenticator: Authenticator, *, real_ms: Callable[[], int]) -> None:
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
                "What happens, as server-sent events; `x-events` says what their data is",
                answer=str,
                media_type=MEDIA_TYPE,
                events={
                    "submit": JournalEntry,
                    "transition": Transition,
                    "callback": JournalEntry,
                    "request": JournalEntry,
                    Change.CLOCK.value: ClockReading,
                    Change.SETTINGS.value: Nothing,
                    Change.DROPPED.value: Nothing,
                },
                rejects=(403, 404, 503),
            )
        ]

    def close(self) -> None:
        """End all streams and reject new ones, from any thread: the server is stopping."""
        self._is_closed = True
        for stream in tuple(self._streams):
            stream.end()

    async def follow(self, sandbox: Sandbox, query: SandboxOfPage, request: Request) -> Response:
        if self._is_closed:
            raise ControlError(503, "the server is stopping")
        if request.method == "HEAD":  # has no body that could go on for ever
            return Response(media_type=MEDIA_TYPE, headers=_HEADERS)
        stream = EventStream(sandbox, self._authenticator, self._real_ms)
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
