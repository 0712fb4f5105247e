"""STA-9, STA-10 and TIM-1: the times of a task agree with what was seen when."""

from collections.abc import Iterator
from typing import Final

from contract_tests.server.checkers.trace import Moment, Task, Trace
from contract_tests.server.checkers.views import View, views_of
from contract_tests.server.checkers.violation import Violation

_SKEW_MS: Final = 15_000  # The maximum difference of the clocks of both machines, on loopback.
_LIVE_SKEW_MS: Final = 300_000
_SHORT_MS: Final = 5_000  # A shorter task may be pending for most of its duration.
_PENDING_SHARE: Final = 0.11  # A task is pending for a tenth of its duration at most, and rounding.
_TINY_SHARE: Final = 0.01  # A value in seconds is a thousandth.


def check_times(trace: Trace) -> Iterator[Violation]:
    """Compare the times in all views of a task with the instants of the exchanges."""
    for task in trace.tasks:
        if not task.sandbox.is_plain:
            continue
        views = list(views_of(task))
        yield from _created(trace, task, views)
        for view in views:
            if view.is_final:
                yield from _completed(trace, task, view)
                yield from _cost(trace, task, view)
                yield from _duration(trace, task, view)
                break


def _created(trace: Trace, task: Task, views: list[View]) -> Iterator[Violation]:
    known = [view for view in views if type(view.data.get("createTime")) is int]
    if not known:
        return
    first_ms = known[0].data["createTime"]
    low_ms, high_ms = _bounds(trace, task.submit.at)
    if low_ms is not None and high_ms is not None and not low_ms <= first_ms <= high_ms:
        expected = f"createTime is the instant of the submit, {low_ms}"
        if low_ms != high_ms:
            expected = f"createTime is the instant of the submit, from {low_ms} to {high_ms}"
        yield _violation("STA-9", "created-at", expected, known[0])
    for view in known[1:]:
        if view.data["createTime"] != first_ms:
            expected = f"createTime is {first_ms} in every response"
            yield _violation("STA-9", "created-constant", expected, view)
            return


def _completed(trace: Trace, task: Task, view: View) -> Iterator[Violation]:
    """Require that the task ended between the last unfinished view and the first final one."""
    completed_ms = view.data.get("completeTime")
    if type(completed_ms) is not int:
        return
    before = task.last_unfinished.at if task.last_unfinished else task.submit.at
    low_ms, _ = _bounds(trace, before)
    _, high_ms = _bounds(trace, task.finals[0].at if task.finals else None)
    if low_ms is not None and completed_ms < low_ms:
        expected = f"completeTime is not before {low_ms}, when the task was in progress"
        yield _violation("STA-9", "completed-early", expected, view)
    if high_ms is not None and completed_ms > high_ms:
        expected = f"completeTime is not after {high_ms}, when the task had ended"
        yield _violation("STA-9", "completed-late", expected, view)


def _cost(trace: Trace, task: Task, view: View) -> Iterator[Violation]:
    life_ms, cost_ms = _life_ms(view), view.data.get("costTime")
    if life_ms is None or type(cost_ms) is not int or life_ms < _SHORT_MS:
        return
    share = _TINY_SHARE
    if trace.has_control and _runs_by_itself(task):
        share = 1 - _PENDING_SHARE
    if cost_ms < life_ms * share:
        expected = f"costTime is the duration in milliseconds, {life_ms * share:g} to {life_ms}"
        yield _violation("STA-10", "unit", expected, view)


def _duration(trace: Trace, task: Task, view: View) -> Iterator[Violation]:
    """Require a plausible duration; without a control plane the configured one is unknown."""
    configured_s = task.submit.settings.get("generation_time")
    life_ms = _life_ms(view)
    if not trace.has_control or not isinstance(configured_s, int | float):
        return
    if life_ms is None or not _runs_by_itself(task):
        return
    least_ms, most_ms = configured_s * 1000 / 6, configured_s * 1000 * 5
    if not least_ms <= life_ms <= most_ms:
        expected = (
            f"a task takes from {least_ms:g} to {most_ms:g} ms, {configured_s:g} s on average"
        )
        yield _violation("TIM-1", "duration", expected, view)


def _life_ms(view: View) -> int | None:
    times = view.data.get("createTime"), view.data.get("completeTime")
    created_ms, completed_ms = times
    if type(created_ms) is not int or type(completed_ms) is not int:
        return None
    return completed_ms - created_ms


def _runs_by_itself(task: Task) -> bool:
    """Return whether nothing but the settings decides how long the task takes."""
    return not (task.forced or task.order.has_directives or task.sandbox.has_outcomes)


def _bounds(trace: Trace, at: Moment | None) -> tuple[int | None, int | None]:
    """Return the earliest and the latest instant on the service's clock, or None if unknown."""
    if at is None:
        return None, None
    if trace.has_control:
        return at.low_ms, at.high_ms
    skew_ms = _LIVE_SKEW_MS if trace.target.is_live else _SKEW_MS
    return at.low_ms - skew_ms, at.high_ms + skew_ms


def _violation(clause: str, kind: str, expected: str, view: View) -> Violation:
    return Violation(
        clause=clause, kind=kind, expected=expected, seen=view.shown, event=view.number
    )
