"""CB-2 to CB-4: how often, and at which instants, a callback is delivered again."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final

import msgspec

from contract_tests.server.checkers.lives import Life
from contract_tests.server.checkers.trace import Callback, Control, Moment, Sandbox, Task, Trace
from contract_tests.server.checkers.violation import Violation

_DELAYS_MS: Final = (30_000, 120_000, 600_000)
_ATTEMPTS_MAX: Final = 4
_TIMEOUT_S: Final = 30.0  # CB-2
_SLACK_MS: Final = 2_000  # The tolerance of instants in real time.
_PROMPT_MS: Final = 1_000  # A receiver that answers within this time has answered in time.


def check_attempts(trace: Trace) -> Iterator[Violation]:
    """Judge the attempts of each callback: not after a 200, not early, not late, not missing."""
    timeout_s = (trace.target.info or {}).get("callback_timeout", _TIMEOUT_S)
    timeout_ms = 1000 * timeout_s if isinstance(timeout_s, int | float) else 1000 * _TIMEOUT_S
    times: dict[Sandbox, _Times] = {}
    for task in trace.tasks:
        order, sandbox = task.order, task.sandbox
        is_kept = all(each.name == order.callback_name for each in task.callbacks)
        if not sandbox.is_plain or not order.is_callback or not is_kept:
            continue
        if order.callback_name is None:
            continue
        known = times.setdefault(sandbox, _Times(sandbox, has_control=trace.has_control))
        yield from _Attempts(trace, task, known, timeout_ms).violations()


class _Advance(msgspec.Struct, frozen=True):
    """A step of the manual clock, in real time and in the service's time."""

    sent_ms: int
    answered_ms: int
    from_ms: int
    to_ms: int
    number: int


class _Times:
    """The instants on the service's clock at which something happened at a real instant."""

    def __init__(self, sandbox: Sandbox, *, has_control: bool) -> None:
        self._sandbox = sandbox
        self._has_control = has_control

    @cached_property
    def advances(self) -> Sequence[_Advance]:
        return [
            _Advance(
                step.response.sent_ms,
                step.response.answered_ms,
                step.started_at.low_ms,
                step.at.low_ms,
                step.number,
            )
            for step in self._sandbox.steps
            if isinstance(step, Control)
            and step.action == "clock/advance"
            and step.at is not None
            and step.started_at is not None
        ]

    def at(self, real_ms: int, submitted: Moment | None) -> Moment | None:
        """Return the bounds of an instant, or None if it is unknown."""
        if not real_ms:
            return None
        if not self._has_control:
            return Moment(real_ms, real_ms)
        if submitted is None or not submitted.is_exact:
            return None
        now_ms = submitted.low_ms
        for advance in self.advances:
            if real_ms < advance.sent_ms:
                break
            if real_ms <= advance.answered_ms:
                return Moment(advance.from_ms, advance.to_ms)
            now_ms = advance.to_ms
        return Moment(now_ms, now_ms)


class _Attempts:
    def __init__(self, trace: Trace, task: Task, times: _Times, timeout_ms: float) -> None:
        self._has_control = trace.has_control
        self._is_reachable = bool(trace.callbacks)
        self._task = task
        self._times = times
        self._timeout_ms = timeout_ms
        self._attempts = task.callbacks
        self._looked_at = trace.looked_at(task.order.callback_name or "")

    def violations(self) -> Iterator[Violation]:
        attempts = self._attempts
        if len(attempts) > _ATTEMPTS_MAX:
            expected = f"at most {_ATTEMPTS_MAX} attempts"
            yield self._violation("CB-3", "most", expected, attempts[_ATTEMPTS_MAX].number)
        for number, (attempt, following) in enumerate(pairwise(attempts)):
            if self._is_received(attempt):
                # Deliveries are at least once (CB-4), so only a mock must not deliver again.
                if self._has_control:
                    expected = "no attempt after one that was answered 200"
                    yield self._violation("CB-3", "received", expected, following.number)
                return
            if number < len(_DELAYS_MS):
                yield from self._gap(attempt, following, number)
        if self._has_control:
            yield from self._missing()

    def _is_received(self, attempt: Callback) -> bool:
        delivery = attempt.delivery
        return delivery.answered == 200 and delivery.delay_ms < self._timeout_ms

    def _gap(self, attempt: Callback, following: Callback, number: int) -> Iterator[Violation]:
        before, after = self._moment(attempt), self._moment(following)
        if before is None or after is None:
            return
        waited_ms = 0 if self._has_control else min(attempt.delivery.delay_ms, self._timeout_ms)
        least_ms = after.low_ms - before.high_ms - waited_ms
        most_ms = after.high_ms - before.low_ms - waited_ms
        delay_ms = _DELAYS_MS[number]
        if self._has_control:
            is_wrong = not least_ms <= delay_ms <= most_ms
            expected = f"attempt {number + 2} is made {delay_ms / 1000:g} s after the one before"
        else:
            is_wrong = most_ms < _DELAYS_MS[0] - _SLACK_MS
            expected = f"the next attempt is made at least {_DELAYS_MS[0] / 1000:g} s later"
        if is_wrong:
            yield self._violation(
                "CB-3", "gap", f"{expected}, not {most_ms / 1000:g} s", following.number
            )

    def _missing(self) -> Iterator[Violation]:
        """Report an attempt that a mock must have made in a step of its clock."""
        attempts, task = self._attempts, self._task
        if not attempts:
            ended_ms = None if _is_steered(task) else Life(task).ended_ms
            if self._is_reachable and ended_ms is not None and self._passed(ended_ms, 0):
                expected = "a callback at the end of the task"
                yield self._missed("CB-1", "missing", expected)
            return
        last, number = attempts[-1], len(attempts) - 1
        at = self._moment(last)
        is_slow = last.delivery.delay_ms > _PROMPT_MS
        if number >= len(_DELAYS_MS) or self._is_received(last) or is_slow or at is None:
            return
        due_ms = at.high_ms + _DELAYS_MS[number]
        if self._passed(due_ms, last.delivery.at_ms + last.delivery.delay_ms):
            expected = f"attempt {number + 2}, because the one before was not answered 200"
            for clause in ("CB-2", "CB-3") if number == 0 else ("CB-3", "CB-4"):
                yield self._missed(clause, "missing-retry", expected)

    def _passed(self, due_ms: int, since_real_ms: int) -> bool:
        """Return whether a step of the clock, begun after a real instant, reached an instant.

        Then an attempt that was due is in the trace, if it was made.
        """
        began = self._task.forced or self._task.submit
        return any(
            advance.to_ms >= due_ms
            and advance.sent_ms > since_real_ms
            and self._looked_at > advance.number > began.number
            for advance in self._times.advances
        )

    def _moment(self, attempt: Callback) -> Moment | None:
        return self._times.at(attempt.delivery.at_ms, self._task.submit.at)

    def _missed(self, clause: str, kind: str, expected: str) -> Violation:
        number = self._attempts[-1].number if self._attempts else self._task.submit.number
        return self._violation(clause, kind, expected, number)

    def _violation(self, clause: str, kind: str, expected: str, event: int) -> Violation:
        answered = [each.delivery.answered for each in self._attempts]
        return Violation(
            clause=clause,
            kind=kind,
            expected=expected,
            seen=f"task {self._task.id}: attempts answered with {answered}",
            event=event,
        )


def _is_steered(task: Task) -> bool:
    """Return whether a status request may have ended the task, as a directive can demand."""
    return task.order.has_directives or task.sandbox.has_outcomes
