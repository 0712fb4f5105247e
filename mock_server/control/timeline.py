"""The timeline of a task, and the explanation of its plan."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mock_server.control.answers import Instant, Milliseconds
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.task import Task, TaskState, state_at

_KINDS = ["transition", *Operation]
_ORDER = {"submit": 0, "transition": 1}  # The order of events at the same instant.


class TimelineEvent(msgspec.Struct, kw_only=True):
    """An event of a task: a transition has a `state`, an exchange has the other members."""

    at_ms: Instant
    kind: Annotated[str, Meta(extra_json_schema={"enum": _KINDS})]
    state: TaskState | UnsetType = UNSET
    status: int | UnsetType | None = UNSET
    error: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    rule: str | UnsetType = UNSET
    fault: str | UnsetType = UNSET
    duration_ms: Milliseconds | UnsetType = UNSET

    @classmethod
    def of(cls, entry: Entry) -> "TimelineEvent":
        return cls(
            at_ms=entry.at_ms,
            kind=entry.operation,
            status=entry.status or None,
            error=entry.error or UNSET,
            path=entry.path if entry.operation is Operation.RESULT else UNSET,
            rule=entry.rule or UNSET,
            fault=entry.fault if entry.rule else UNSET,
            duration_ms=entry.duration_us / 1000,
        )


def explain(task: Task) -> list[str]:
    """Return the reasons for the plan, one sentence each, and a sentence about its times."""
    ending = task.ending
    pending_s = (task.start_ms - task.created_ms) / 1000
    if task.end_ms is not None:
        whole_s = (task.end_ms - task.created_ms) / 1000
        when = f"times: pending for {pending_s:g} s, ends {whole_s:g} s after the submit"
    elif ending.polls:
        when = f"times: ends at status request {ending.polls}, {task.polls_seen} received so far"
    else:
        when = f"times: pending for {pending_s:g} s, then processing until a control call ends it"
    return [*ending.reasons, when]


def timeline(task: Task, now_ms: int, entries: Sequence[Entry]) -> list[TimelineEvent]:
    """Return the events of a task in order; transitions are derived from its plan."""
    events = [*_transitions(task, now_ms), *(TimelineEvent.of(entry) for entry in entries)]
    return sorted(events, key=lambda event: (event.at_ms, _ORDER.get(event.kind, 2)))


def _transitions(task: Task, now_ms: int) -> Iterator[TimelineEvent]:
    changes = [(task.created_ms, TaskState.PENDING)]
    if task.start_ms <= now_ms and not (task.ending.polls and task.end_ms is None):
        changes.append((task.start_ms, TaskState.PROCESSING))
    if task.end_ms is not None and task.end_ms <= now_ms:
        changes.append((task.end_ms, state_at(task, now_ms)))
    for at_ms, state in changes:
        yield TimelineEvent(at_ms=at_ms, kind="transition", state=state)
