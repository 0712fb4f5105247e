"""STA-3, 4, 6, 8, 9, 10: which members a view of a task has in which state, and their types."""

from collections.abc import Iterator
from typing import Final

from contract_tests.server.checkers.result_json import is_result
from contract_tests.server.checkers.trace import Trace
from contract_tests.server.checkers.views import FINAL, RANKS, View, all_views, has_member
from contract_tests.server.checkers.violation import Violation

_MILLISECONDS: Final = range(10**12, 10**13)  # The years 2001 to 2286.


def check_members(trace: Trace) -> Iterator[Violation]:
    """Judge the members of every status response and callback."""
    for view in all_views(trace):
        yield from _always(view)
        yield from _result(trace, view)
        yield from _failure(trace, view)
        yield from _times(trace, view)


def _always(view: View) -> Iterator[Violation]:
    data, task_id = view.data, view.task.id
    is_whole = (
        data.get("taskId") == task_id
        and isinstance(data.get("state"), str)
        and type(data.get("createTime")) is int
    )
    if not is_whole:
        yield _violation(
            "STA-3", "always", f"taskId {task_id}, state and createTime in every state", view
        )
    if not isinstance(view.state, str) or view.state not in RANKS:
        yield _violation("STA-4", "state", f"state is one of {', '.join(RANKS)}", view)


def _result(trace: Trace, view: View) -> Iterator[Violation]:
    if view.state == "success":
        if not is_result(view.data.get("resultJson")):
            expected = 'resultJson is a string that contains {"resultUrls": [url, …]}'
            yield _violation("STA-6", "result", expected, view)
    elif has_member(trace, view.data, "resultJson"):
        yield _violation("STA-6", "no-result", f"no resultJson at {view.state}", view)


def _failure(trace: Trace, view: View) -> Iterator[Violation]:
    names = ("failCode", "failMsg")
    if view.state == "failed":
        texts = [view.data.get(name) for name in names]
        if not all(isinstance(text, str) and text for text in texts):
            yield _violation("STA-8", "failure", "failCode and failMsg, both texts", view)
    elif any(has_member(trace, view.data, name) for name in names):
        expected = f"neither failCode nor failMsg at {view.state}"
        yield _violation("STA-8", "no-failure", expected, view)


def _times(trace: Trace, view: View) -> Iterator[Violation]:
    data = view.data
    created_ms = data.get("createTime")
    if type(created_ms) is not int or created_ms not in _MILLISECONDS:
        yield _violation("STA-9", "created", "createTime in Unix milliseconds", view)
    names = ("completeTime", "costTime")
    if view.state not in FINAL:
        if any(has_member(trace, data, name) for name in names):
            expected = f"neither completeTime nor costTime at {view.state}"
            yield _violation("STA-9", "early", expected, view)
        return
    completed_ms, cost_ms = (data.get(name) for name in names)
    if type(completed_ms) is not int or completed_ms not in _MILLISECONDS:
        yield _violation("STA-9", "completed", "completeTime in Unix milliseconds", view)
    elif type(created_ms) is int and completed_ms < created_ms:
        yield _violation("STA-9", "order", "completeTime is not before createTime", view)
    elif type(created_ms) is int:
        life_ms = completed_ms - created_ms
        if type(cost_ms) is not int or not 0 <= cost_ms <= life_ms:
            expected = f"costTime in milliseconds, from 0 to {life_ms}, the total duration"
            is_duration = type(cost_ms) is int and cost_ms >= 0
            # Only the upper bound is a choice.
            yield _violation("STA-10", "bounds", expected, view, is_choice=is_duration)
    if not has_member(trace, data, "costTime"):
        yield _violation("STA-9", "cost", f"costTime at {view.state}", view)


def _violation(
    clause: str, kind: str, expected: str, view: View, *, is_choice: bool = False
) -> Violation:
    return Violation(
        clause=clause,
        kind=kind,
        expected=expected,
        seen=view.shown,
        event=view.number,
        is_choice=is_choice,
    )
