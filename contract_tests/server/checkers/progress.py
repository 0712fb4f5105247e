"""STA-5: states only move forward, and a final answer never changes again."""

import json
from collections.abc import Iterator

from contract_tests.server.checkers.shown import shown, told
from contract_tests.server.checkers.trace import Exchange, Task, Trace
from contract_tests.server.checkers.views import RANKS
from contract_tests.server.checkers.violation import Violation


def check_progress(trace: Trace) -> Iterator[Violation]:
    """Judge the order of the states of each task, and its answers after the end."""
    for task in trace.tasks:
        if task.sandbox.is_plain:
            yield from _forward(task)
            yield from _frozen(trace, task)


def _forward(task: Task) -> Iterator[Violation]:
    highest, name = -1, ""
    for seen in task.sightings:
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
