"""Server-sent events as bytes."""

from collections.abc import Callable

import msgspec

from mock_server.control.journal_entry import JournalEntry
from mock_server.control.task_follower import Transition
from mock_server.domain.events import Change, Recorded
from mock_server.domain.operation import Operation
from mock_server.domain.results import ClockReading

Redact = Callable[[bytes], bytes]
"""Return JSON in which the API key of the sandbox is redacted."""


class EmptyEvent(msgspec.Struct):
    """An event without data, because its name says what has changed."""


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


def event(kind: str, data: object, redact: Redact) -> bytes:
    return _event(kind, redact(msgspec.json.encode(data)))


def events_of_entry(change: Recorded, redact: Redact) -> bytes:
    """Return the events of an exchange: `request` with its number, and those of its operation."""
    entry = change.entry
    data = redact(msgspec.json.encode(JournalEntry.of(change.number, entry)))
    events = b"id: %d\n%b" % (change.number, _event("request", data))
    if entry.operation is Operation.CALLBACK:
        events += _event("callback", data)
    if is_submit(change):
        events += _event("submit", data)
    return events


def is_submit(change: Recorded) -> bool:
    """Return whether the exchange has created a task."""
    return change.entry.operation is Operation.SUBMIT and bool(change.entry.task_id)


def comment(text: str) -> bytes:
    return f": {text}\n\n".encode()


def _event(kind: str, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)
