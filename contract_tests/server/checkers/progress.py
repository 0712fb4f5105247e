"""STA-5: states only move forward, and a final answer never changes again."""

import json
from collections.abc import Iterator
from typing import Final

from contract_tests.server.checkers.shown import shown, told
from contract_tests.server.checkers.trace import Exchange, Task, Trace
from contract_tests.server.checkers.views import FINAL, RANKS
from contract_tests.server.checkers.violation import Violation

_ENDED: Final = 2
"""The rank of both final states."""


def check_progress(trace: Trace) -> Iterator[Violation]:
    """Judge the order of the states of each task, and its answers after the end."""
    for task in trace.tasks:
        if task.sandbox.is_plain:
            yield from _forward(task)
            yield from _frozen(trace, task)


def _forward(task: Task) -> Iterator[Violation]:
    highest, name = -1, ""
    for seen in task.sightings:
        if highest < _ENDED and _has_ended_before(task, seen):
            highest, name = _ENDED, "the end"
        state = seen.members.get("state")
        rank = RANKS.get(state, -1) if isinstance(state, str) else -1
        if -1 < rank < highest:
            yield Violation(
                clause="STA-5",
                kind="forward",
                expected=f"no earlier state after {name}",
                seen=shown(seen),
                event=seen.number,
            )
        elif rank > highest:
            highest, name = rank, str(state)


def _has_ended_before(task: Task, seen: Exchange) -> bool:
    """Return whether the control plane or a callback told of the end before a request was sent."""
    if task.forced is not None and task.forced.number < seen.number:
        return True
    return any(
        0 < callback.delivery.at_ms < seen.response.sent_ms
        and callback.members.get("state") in FINAL
        for callback in task.callbacks
    )


def _frozen(trace: Trace, task: Task) -> Iterator[Violation]:
    """Compare bytes with a mock, and otherwise the content: bytes are not promised."""
    if not task.finals:
        return
    first = task.finals[0]
    for seen in task.finals[1:]:
        if seen.response.body == first.response.body:
            continue
        if trace.has_control or _canonical(seen) != _canonical(first):
            yield Violation(
                clause="STA-5",
                kind="frozen",
                expected=f"the final answer never changes: {told(first)}",
                seen=shown(seen),
                event=seen.number,
            )


def _canonical(exchange: Exchange) -> str:
    try:
        return json.dumps(exchange.json, sort_keys=True)
    except (TypeError, ValueError):
        return exchange.response.body.decode("utf-8", "replace")
