"""Judges tasks that never become final, and states that no page knows.

The contract names no maximum duration. A task that is not final after ten times the documented
average violates TIM-1 and STA-5. By their certainty, TIM-1 is a FAIL from a server on loopback and
a WARN from a live service; STA-5 is a WARN from both. An unknown state violates STA-4; a status
request for an own task that is rejected again and again violates STA-3. Both are firm.
"""

from typing import Final, Protocol

from contract_tests.contract.provider import FINAL
from contract_tests.server.answer import Answer
from contract_tests.server.target import Target

STATES: Final = ("pending", "processing", "success", "failed")
_AVERAGE_S: Final = 30.0  # TIM-1
_TIMES: Final = 10
_MOST_ERRORS: Final = 5  # In a row: a service may lose a request, or be slow to know a new task.


class Findings(Protocol):
    """The part of a probe that records findings."""

    target: Target

    def check(
        self,
        clause: str,
        holds: bool,  # noqa: FBT001  # as in Probe
        *,
        expected: str,
        seen: object,
        at: Answer | None = None,
    ) -> bool: ...


def generation_max_s(target: Target) -> float:
    """Return after how many seconds a task is taken for one that never ends."""
    configured_s = (target.settings or {}).get("generation_time", _AVERAGE_S)
    return _TIMES * max(_AVERAGE_S, float(configured_s))


class Progress:
    """Watches the status answers of one task. `is_over` tells whether to go on is useless."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._errors = 0
        self._is_unknown = False
        self._last: Answer | None = None

    @property
    def is_over(self) -> bool:
        return self._errors >= _MOST_ERRORS

    def see(self, answer: Answer) -> None:
        """Count an answer; record an unknown state once."""
        self._last = answer
        # A rate limit that is reached says nothing about the task.
        self._errors = 0 if answer.status in {200, 429} else self._errors + 1
        state = _state(answer)
        if isinstance(state, str) and state not in STATES and not self._is_unknown:
            self._is_unknown = True
            self._findings.check(
                "STA-4", holds=False, expected=f"one of {', '.join(STATES)}", seen=answer
            )

    def give_up(self) -> str:
        """Record why the task has not become final; return the reason for the report."""
        answer = self._last
        assert answer is not None, "nothing was seen"
        longest_s = generation_max_s(self._findings.target)
        if self.is_over:
            expected = "HTTP 200 for a task of the same key at every state"
            self._findings.check("STA-3", holds=False, expected=expected, seen=answer)
            return f"the status of the task is not known: {answer.shown}"
        if answer.status == 200 and _state(answer) not in FINAL:
            times = f"{_TIMES} times the average"
            for clause, expected in (
                ("TIM-1", f"the task ends within {longest_s:g} s, {times}"),
                ("STA-5", f"success or failed within {longest_s:g} s, {times}"),
            ):
                self._findings.check(clause, holds=False, expected=expected, seen=answer)
        return f"the task was not final after {longest_s:g} s: {answer.shown}"


def _state(answer: Answer) -> object:
    is_object = answer.status == 200 and isinstance(answer.data, dict)
    return answer.data.get("state") if is_object else None
