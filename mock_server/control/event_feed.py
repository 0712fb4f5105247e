"""The events of one sandbox, encoded once for all the streams that report them."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from mock_server.control.event_text import (
    EmptyEvent,
    Redact,
    comment,
    event,
    events_of_entry,
    is_submit,
)
from mock_server.control.task_follower import TaskFollower, Transition
from mock_server.domain.events import Change, Notice, Recorded
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.task import Task

MAX_WAITING = 1000  # The number of changes that are not encoded yet. Older ones are lost.
BATCH_S = 0.02  # Transitions within this time are sent together.
_LOOK_EVERY_S = 15.0
_PIECE = 50  # Other requests have their turn after this number of changes.
_READERS = 10  # Other requests have their turn after this number of readers was woken.


class Reader(Protocol):
    """A stream of the events. Its methods do not wait and do not raise."""

    def push(self, texts: Sequence[bytes]) -> None:
        """Send events or comments."""

    def end(self) -> None:
        """End after what was pushed: the sandbox was removed."""


class EventFeed:
    """Follows a sandbox while it has readers, and pushes its events to all of them.

    `when_unused` is called when the feed has ended: it has lost its last reader, or its sandbox.
    """

    def __init__(
        self,
        store: Store,
        sandbox: SandboxReader,
        redact: Redact,
        *,
        real_ms: Callable[[], int],
        when_unused: Callable[[], object],
    ) -> None:
        self._store = store
        self._sandbox = sandbox
        self._redact = redact
        self._real_ms = real_ms
        self._when_unused = when_unused
        self._loop = asyncio.get_running_loop()
        self._readers: dict[Reader, None] = {}  # The first to join is the first here.
        self._notices: deque[Notice] = deque()
        self._lost = 0
        self._encoded: list[bytes] = []  # Encoded events.
        self._unserved: deque[Reader] = deque()  # The readers that do not have them yet.
        self._tasks = TaskFollower()
        self._looked_s = -math.inf  # When the tasks were last looked at.
        self._next: asyncio.Handle | None = None  # The next call of `_deliver`.
        self._is_woken = False  # Whether this call is due now.
        self._is_removed = False  # Whether the sandbox was removed.

    def join(self, reader: Reader, last_seen: int | None) -> Iterator[bytes]:
        """Push all further events to a reader. Return those that it has missed.

        It has to send these first. `last_seen` is the number of the last entry that it knows.
        """
        if self._readers:
            self.catch_up()  # The new reader must not get earlier events.
        if self._is_removed:
            self._push_removed(reader)
            return iter(())
        if not self._readers:
            self._store.follow(self._sandbox.id, self._note)
            self._tasks.follow(*self._sandbox.tasks(self._real_ms()))
            self._set_timer()
        self._readers[reader] = None
        return iter(()) if last_seen is None else self._missed(last_seen)

    def leave(self, reader: Reader) -> None:
        """Push no further events to a reader."""
        if reader in self._readers:
            del self._readers[reader]
            if not self._readers:
                self._close()

    def catch_up(self) -> None:
        """Push everything that has happened until now."""
        while self._unserved:
            self._deliver()
        self._looked_s, self._is_woken = -math.inf, True
        while self._is_woken:
            self._deliver()

    def _note(self, notice: Notice) -> None:
        """Record a change. This is called during the command that causes it."""
        if len(self._notices) == MAX_WAITING:
            self._notices.popleft()
            self._lost += 1
        self._notices.append(notice)
        if not self._is_woken:
            self._wake()

    def _wake(self) -> None:
        self._is_woken = True
        self._set_next(self._loop.call_soon(self._deliver))

    def _set_next(self, call: asyncio.Handle | None) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = call

    def _set_timer(self) -> None:
        """Call `_deliver` when the next transition is due, or earlier: clocks may be adjusted."""
        due_ms = self._tasks.next_ms(self._task)
        due_s = self._sandbox.real_wait_s(due_ms, self._real_ms())
        if due_s is None:
            self._set_next(None)
        else:
            pause_s = min(due_s + BATCH_S, _LOOK_EVERY_S)
            self._set_next(self._loop.call_later(pause_s, self._deliver))

    def _deliver(self) -> None:
        """Push new events. If there are many events or readers, continue in the next turn.

        Waking a reader takes a fraction of a millisecond. New events wait until all readers have
        the earlier ones, and are then pushed together.
        """
        self._is_woken = False
        if not self._unserved:
            self._collect()
            self._unserved.extend(self._readers if self._encoded else ())
        for _ in range(min(_READERS, len(self._unserved))):
            reader = self._unserved.popleft()
            if reader in self._readers:
                reader.push(self._encoded)
        if not self._unserved:
            self._encoded = []
        if not self._readers:
            return
        if self._unserved or self._notices:
            self._wake()
        elif (early_s := self._looked_s + BATCH_S - self._loop.time()) > 0:
            self._set_next(self._loop.call_later(early_s, self._deliver))
        else:
            self._set_timer()

    def _collect(self) -> None:
        """Encode new events."""
        if self._lost:
            self._encoded.append(lost_changes(self._lost))
            self._lost = 0
            self._tasks.follow(*self._sandbox.tasks(self._real_ms()))  # Submits may be lost.
        for _ in range(_PIECE):
            if not self._notices:  # A notice about the removal of the sandbox clears the others.
                break
            self._report(self._notices.popleft())
        if self._notices or not self._readers:
            return
        now_s = self._loop.time()
        if now_s >= self._looked_s + BATCH_S:
            self._looked_s = now_s
            for transition in self._tasks.transitions(self._task, self._now_ms()):
                self._encoded.append(event("transition", transition, self._redact))

    def _report(self, change: Notice) -> None:
        if isinstance(change, Recorded):
            self._encoded.append(events_of_entry(change, self._redact))
            if is_submit(change):
                self._tasks.add(change.entry.task_id)
        elif change is Change.CLOCK:
            self._encoded.append(event("clock", self._sandbox.clock(self._real_ms()), self._redact))
        elif change is Change.REMOVED:
            self._is_removed = True
            for reader in self._readers:
                reader.push(self._encoded)
                self._push_removed(reader)
            self._readers.clear()
            self._close()
        elif isinstance(change, Change) and change is not Change.TASK:
            if change is Change.DROPPED:
                self._tasks.clear()
                self._tasks.follow(*self._sandbox.tasks(self._real_ms()))
            self._encoded.append(self._event(change))

    def _push_removed(self, reader: Reader) -> None:
        reader.push([self._event(Change.DROPPED)])
        reader.end()  # A reader that reconnects gets the new sandbox.

    def _close(self) -> None:
        self._set_next(None)
        self._notices.clear()
        self._unserved.clear()
        self._encoded = []
        self._lost = 0
        self._tasks.clear()
        self._store.unfollow(self._sandbox.id, self._note)
        self._when_unused()

    def _missed(self, last_seen: int) -> Iterator[bytes]:
        """Return the events since an entry.

        Transitions after it are reported again, because they have no numbers.
        """
        sandbox, missed, follower = self._sandbox, list[bytes](), TaskFollower()
        tasks, now_ms = sandbox.tasks(self._real_ms())
        entries = list(sandbox.entries(last_seen - 1))
        if not entries:  # The sandbox was reset, or it is a new one.
            entries = list(sandbox.entries())
            missed.append(self._event(Change.DROPPED))
            follower.follow(tasks, now_ms)
        elif entries[0][0] == last_seen:
            follower.follow(tasks, entries.pop(0)[1].at_ms)
        else:
            missed.append(lost_changes(entries[0][0] - 1 - last_seen))
        changes = [Recorded(*each) for each in entries]
        for change in filter(is_submit, changes):
            follower.add(change.entry.task_id)
        return self._texts(missed, changes, follower.transitions(self._task, now_ms))

    def _texts(
        self, first: list[bytes], changes: list[Recorded], transitions: list[Transition]
    ) -> Iterator[bytes]:
        """Yield events in pieces that take milliseconds to encode."""
        yield from first
        for start in range(0, len(changes), _PIECE):
            piece = changes[start : start + _PIECE]
            yield b"".join(events_of_entry(each, self._redact) for each in piece)
        yield b"".join(event("transition", each, self._redact) for each in transitions)

    def _event(self, change: Change) -> bytes:
        return event(change.value, EmptyEvent(), self._redact)

    def _now_ms(self) -> int:
        return self._sandbox.clock(self._real_ms()).now_ms

    def _task(self, task_id: str) -> Task | None:
        view = self._sandbox.task(task_id, self._real_ms())
        return None if view is None else view.task


def lost_changes(count: int) -> bytes:
    return comment(f"{count} older changes were lost")
