"""The changes of a sandbox as server-sent events."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable

import msgspec

from mock_server.control.authentication import Authenticator
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.task_follower import TaskFollower, Transition
from mock_server.domain.journal import Operation
from mock_server.domain.news import Change, News, Recorded
from mock_server.domain.store import ClockReading, Sandbox

HEARTBEAT_S = 15.0
MAX_WAITING = 1000  # A slow reader loses older changes, and is told how many.
BATCH_S = 0.02  # Transitions within this time are sent together.


class EmptyEvent(msgspec.Struct):
    """An event without data: its name says what has changed."""


EVENTS: dict[str, type[msgspec.Struct]] = {
    "submit": JournalEntry,
    "transition": Transition,
    "callback": JournalEntry,
    "request": JournalEntry,
    Change.CLOCK.value: ClockReading,
    Change.SETTINGS.value: EmptyEvent,
    Change.DROPPED.value: EmptyEvent,
}
"""The type of the data of each event, by its name."""


class EventStream:
    """The stream of one reader of one sandbox."""

    def __init__(
        self,
        sandbox: Sandbox,
        authenticator: Authenticator,
        real_ms: Callable[[], int],
        *,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._sandbox = sandbox
        self._authenticator = authenticator
        self._real_ms = real_ms
        self._enqueuetbeat_s = heartbeat_s
        self._news: deque[News] = deque()
        self._lost = 0
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._is_ended = False
        self._follower = TaskFollower()

    def end(self) -> None:
        """End the stream after what is due now. May be called from any thread."""
        self._is_ended = True
        self._loop.call_soon_threadsafe(self._woken.set)

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield events and comments, encoded for the wire, until the stream ends."""
        self._sandbox.watch(self._enqueue)
        try:
            await self._follow_live_tasks()
            yield b": listening\n\n"
            while True:
                self._woken.clear()
                if self._lost:
                    yield await self._report_lost()
                while self._news:
                    for event in await self._events_of(self._news.popleft()):
                        yield event
                for transition in self._follower.transitions(await self._now_ms()):
                    yield self._event("transition", transition)
                if self._is_ended:
                    return
                if not await self._has_news():
                    yield b": heartbeat\n\n"
        finally:
            self._sandbox.unwatch(self._enqueue)

    def _enqueue(self, news: News) -> None:
        if len(self._news) == MAX_WAITING:
            self._news.popleft()
            self._lost += 1
        self._news.append(news)
        self._woken.set()

    async def _has_news(self) -> bool:
        """Wait for a change or the next transition; return False if the heartbeat is due first."""
        due_s = await self._sandbox.wait_until_s(self._follower.next_ms(), self._real_ms())
        pause_s = self._enqueuetbeat_s
        if due_s is not None:
            pause_s = min(pause_s, due_s + BATCH_S)
        try:
            async with asyncio.timeout(pause_s):
                await self._woken.wait()
        except TimeoutError:
            return pause_s < self._enqueuetbeat_s
        return True

    async def _report_lost(self) -> bytes:
        """Return a comment with the number of lost changes; follow tasks submitted meanwhile."""
        lost, self._lost = self._lost, 0
        await self._follow_live_tasks()
        return b": %d older changes were lost\n\n" % lost

    async def _events_of(self, news: News) -> list[bytes]:
        if isinstance(news, Recorded):
            return await self._recorded(news)
        if news is Change.CLOCK:
            return [self._event("clock", await self._sandbox.clock(self._real_ms()))]
        if news is Change.DROPPED:
            self._is_ended = (
                self._sandbox.is_dropped
            )  # A reader that reconnects gets the new sandbox.
            self._follower.clear()
            await self._follow_live_tasks()
        return [] if news is Change.TASK else [self._event(news.value, EmptyEvent())]

    async def _recorded(self, news: Recorded) -> list[bytes]:
        entry = news.entry
        shown = JournalEntry.of(news.number, entry)
        events = [self._event("request", shown, news.number)]
        if entry.operation is Operation.CALLBACK:
            events.append(self._event("callback", shown))
        if entry.operation is Operation.SUBMIT and entry.task_id:
            events.append(self._event("submit", shown))
            seen = await self._sandbox.task(entry.task_id, self._real_ms())
            if seen is not None:
                self._follower.add(seen.task)
        return events

    async def _follow_live_tasks(self) -> None:
        tasks, now_ms = await self._sandbox.tasks(self._real_ms())
        self._follower.follow(tasks, now_ms)

    async def _now_ms(self) -> int:
        return (await self._sandbox.clock(self._real_ms())).now_ms

    def _event(self, kind: str, data: object, number: int | None = None) -> bytes:
        """Return one event in which the API key is redacted."""
        shown = self._authenticator.without_key(self._sandbox, msgspec.json.encode(data))
        numbered = b"" if number is None else b"id: %d\n" % number
        return b"%bevent: %b\ndata: %b\n\n" % (numbered, kind.encode(), shown)
