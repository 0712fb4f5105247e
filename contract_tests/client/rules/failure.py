"""C-FAIL: how a client tells of a task that has failed."""

from collections.abc import Iterator
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.rule import Axis, Level, Look, Rule


def _ends_as_failure(evidence: Evidence) -> Iterator[Look]:
    ended = evidence.ended
    for task in evidence.tasks:
        told = evidence.failures_told(task.id)
        if told and ended is not None:
            seen = f"exit status {ended.exit_status}"
            if ended.timed_out:
                seen = f"had not ended after {ended.after_s:.0f} s"
            yield Look(
                holds=ended.exit_status != 0 and not ended.timed_out,
                seen=seen,
                event=told[0].number,
            )


def _tells_code(evidence: Evidence) -> Iterator[Look]:
    ended = evidence.ended
    for task in evidence.tasks:
        told = evidence.failures_told(task.id)
        if told and ended is not None:
            code = str(told[0].told.get("failCode"))
            is_there = code in ended.output
            seen = f"{code} {'stands' if is_there else 'does not stand'} in what it wrote"
            yield Look(holds=is_there, seen=seen, event=told[0].number)


RULES: Final = (
    Rule(
        id="C-FAIL-001",
        title="a task that failed ends as a failure",
        clauses=("FAIL-1", "FAIL-2", "STA-8"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a task that it saw fail",
        advice="Raise an exception, or leave with a status other than 0, when the state is "
        "'failed'.",
        look=_ends_as_failure,
        needs_end=True,
    ),
    Rule(
        id="C-FAIL-002",
        title="the fail code reaches the user",
        clauses=("STA-8",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a task that it saw fail",
        advice="Put failCode and failMsg into the error that the user sees.",
        look=_tells_code,
        needs_end=True,
    ),
)
