"""Stream the changes of a sandbox as server-sent events."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable

import msgspec

from mock_server.control.authentication import Authenticator
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.task_follower import TaskFollower, Transition
from mock_server.domain.events import Change, Notice, Recorded, TasksEnded
from mock_server.domain.operation import Operation
from mock_server.domain.results import ClockReading
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.task import Task

HEARTBEAT_S = 15.0
MAX_WAITING = 1000  # A slow reader loses older changes. A comment says how many.
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
    """The stream of one reader of one sandbox.

    `last_seen` is the number of the last exchange that the reader got from an earlier stream.
    """

    def __init__(
        self,
        store: Store,
        sandbox: SandboxReader,
        authenticator: Authenticator,
        real_ms: Callable[[], int],
        *,
        last_seen: int | None = None,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._store = store
        self._sandbox = sandbox
        self._authenticator = authenticator
        self._real_ms = real_ms
        self._last_seen = last_seen
        self._heartbeat_s = heartbeat_s
        self._queue: deque[Notice] = deque()
        self._lost = 0
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._is_ended = False
        self._follower = TaskFollower()

    def end(self) -> None:
        """End the stream after the events that are due now. Any thread may call this."""
        self._is_ended = True
        self._loop.call_soon_threadsafe(self._woken.set)

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield encoded events and comments until the stream ends."""
        self._store.follow(self._sandbox.id, self._enqueue)
        try:
            missed = self._missed()
            yield b": listening\n\n"
            for change in missed:
                for event in self._events_of(change):
                    yield event
            self._follow_live_tasks()
            while True:
                self._woken.clear()
                if self._lost:
                    yield self._report_lost()
                while self._queue:
                    for event in self._events_of(self._queue.popleft()):
                        yield event
                for transition in self._follower.transitions(self._task, self._now_ms()):
                    yield self._event("transition", transition)
                if self._is_ended:
                    return
                if not await self._wait_for_change():
                    yield b": heartbeat\n\n"
        finally:
            self._store.unfollow(self._sandbox.id, self._enqueue)

    def _enqueue(self, change: Notice) -> None:
        if len(self._queue) == MAX_WAITING:
            self._queue.popleft()
            self._lost += 1
        self._queue.append(change)
        self._woken.set()

    async def _wait_for_change(self) -> bool:
        """Wait for a change or the next transition; return False if the heartbeat is due first."""
        due_s = self._sandbox.real_wait_s(self._follower.next_ms(self._task), self._real_ms())
        pause_s = self._heartbeat_s
        if due_s is not None:
            pause_s = min(pause_s, due_s + BATCH_S)
        try:
            async with asyncio.timeout(pause_s):
                await self._woken.wait()
        except TimeoutError:
            return pause_s < self._heartbeat_s
        return True

    def _report_lost(self) -> bytes:
        """Return a comment with the number of lost changes; follow the tasks submitted since."""
        lost, self._lost = self._lost, 0
        self._follow_live_tasks()
        return b": %d older changes were lost\n\n" % lost

    def _missed(self) -> list[Notice]:
        """Return the changes since the last exchange that the reader knows.

        Transitions after this exchange are reported again, because they have no numbers.
        """
        if self._last_seen is None:
            return []
        missed: list[Notice] = []
        entries = list(self._sandbox.entries(self._last_seen - 1))
        if not entries:  # The sandbox was reset, or it is a new one.
            entries = list(self._sandbox.entries())
            missed.append(Change.DROPPED)
        elif entries[0][0] == self._last_seen:
            tasks, _ = self._sandbox.tasks(self._real_ms())
            self._follower.follow(tasks, entries.pop(0)[1].at_ms)
        else:
            self._lost = entries[0][0] - 1 - self._last_seen
        return [*missed, *(Recorded(number, entry) for number, entry in entries)]

    def _events_of(self, change: Notice) -> list[bytes]:
        if isinstance(change, Recorded):
            return self._recorded(change)
        if change is Change.CLOCK:
            return [self._event("clock", self._sandbox.clock(self._real_ms()))]
        if isinstance(change, TasksEnded) or change is Change.TASK:
            return []  # The follower reports ended tasks.
        if change is Change.REMOVED:
            self._is_ended = True  # A reader that reconnects gets the new sandbox.
            return [self._event(Change.DROPPED.value, EmptyEvent())]
        if change is Change.DROPPED:
            self._follower.clear()
            self._follow_live_tasks()
        return [self._event(change.value, EmptyEvent())]

    def _recorded(self, change: Recorded) -> list[bytes]:
        entry = change.entry
        shown = JournalEntry.of(change.number, entry)
        events = [self._event("request", shown, change.number)]
        if entry.operation is Operation.CALLBACK:
            events.append(self._event("callback", shown))
        if entry.operation is Operation.SUBMIT and entry.task_id:
            events.append(self._event("submit", shown))
            self._follower.add(entry.task_id)
        return events

    def _follow_live_tasks(self) -> None:
        tasks, now_ms = self._sandbox.tasks(self._real_ms())
        self._follower.follow(tasks, now_ms)

    def _now_ms(self) -> int:
        return self._sandbox.clock(self._real_ms()).now_ms

    def _task(self, task_id: str) -> Task | None:
        view = self._sandbox.task(task_id, self._real_ms())
        return None if view is None else view.task

    def _event(self, kind: str, data: object, number: int | None = None) -> bytes:
        """Return one event in which the API key is redacted."""
        shown = self._authenticator.without_key(self._sandbox.id, msgspec.json.encode(data))
        numbered = b"" if number is None else b"id: %d\n" % number
        return b"%bevent: %b\ndata: %b\n\n" % (numbered, kind.encode(), shown)
