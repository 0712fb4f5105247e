"""C-FAIL: how a client reports a task that failed."""

from collections.abc import Iterator
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.wording import describe_exit


def _check_exit(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    for task in evidence.tasks:
        notices = evidence.failure_notices(task.id)
        if notices and client_exit is not None:
            yield Observation(
                holds=client_exit.is_failure,
                seen=f"the client {describe_exit(client_exit)}",
                event=notices[0].number,
            )


def _check_fail_code(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    for task in evidence.tasks:
        notices = evidence.failure_notices(task.id)
        if notices and client_exit is not None:
            code = str(notices[0].payload.get("failCode"))
            is_shown = code in client_exit.output
            seen = f"{code} is {'' if is_shown else 'not '}in the output"
            yield Observation(holds=is_shown, seen=seen, event=notices[0].number)


RULES: Final = (
    Rule(
        id="C-FAIL-001",
        title="Must report a failed task as a failure",
        clauses=("FAIL-1", "FAIL-2", "STA-8"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="task that the client saw fail",
        advice="If the state is 'failed', raise an exception or exit with a status other than 0.",
        check=_check_exit,
        needs_exit=True,
    ),
    Rule(
        id="C-FAIL-002",
        title="Must show the fail code to the user",
        clauses=("STA-8",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="task that the client saw fail",
        advice="Include failCode and failMsg in the error that the user sees.",
        check=_check_fail_code,
        needs_exit=True,
    ),
)
