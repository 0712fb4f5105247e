"""C-CB: how a client handles callbacks."""

from collections.abc import Callable, Iterator
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import HttpExchange, TaskRecord, is_genuine_callback
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.callback_effects import uses_of_forged_task, work_on
from contract_tests.client.rules.wording import describe_exit
from contract_tests.contract.provider import FINAL
from contract_tests.contract.text import count

_TIMEOUT_S: Final = 30.0  # CB-2


def _check_answer(evidence: Evidence) -> Iterator[Observation]:
    for task in evidence.tasks:
        attempts = [
            each for each in evidence.callback_attempts(task.id) if is_genuine_callback(each)
        ]
        is_accepted = any(each.status == 200 for each in attempts)
        for each in attempts:
            if not each.status and (is_accepted or _has_polled_the_end(evidence, each)):
                continue  # A client may exit once it knows how its task has ended.
            answer = f"status {each.status}" if each.status else each.error or "no response"
            yield Observation(
                holds=each.status == 200 and each.duration_ms <= _TIMEOUT_S * 1000,
                seen=f"{answer} after {each.duration_ms / 1000:.2f} s",
                event=each.number,
            )


def _has_polled_the_end(evidence: Evidence, attempt: HttpExchange) -> bool:
    """Tell whether the client knew the end when an attempt found no receiver."""
    was_refused = attempt.duration_ms < _TIMEOUT_S * 1000
    return was_refused and any(
        each.operation == "status" and each.number < attempt.number
        for each in evidence.final_notices(attempt.task_id)
    )


def _check_duplicates(evidence: Evidence) -> Iterator[Observation]:
    for task in evidence.tasks:
        accepted = [
            each for each in evidence.final_notices(task.id) if each.operation == "callback"
        ]
        if len(accepted) < 2:
            continue
        event = accepted[1].number
        submits = evidence.submits(task.id)
        if any(evidence.repeat_purchase(each, after=accepted[0]) for each in submits):
            seen = f"{count(len(accepted), 'callback')}: input submitted again"
            yield Observation(holds=False, seen=seen, event=event)
        for work in work_on(task, evidence):
            yield Observation(
                holds=work.times <= 1,
                seen=f"{count(len(accepted), 'callback')}: {work.seen}",
                event=event,
                is_minor=work.is_uncertain,
            )


def _check_forged_callback(evidence: Evidence) -> Iterator[Observation]:
    """Check the recovery, and that nothing of the forged callback became a result."""
    yield from _check_recovery("callback forged-id")(evidence)
    known = {task.id for task in evidence.tasks}
    for each in evidence.of("callback"):
        forged_id = each.payload.get("taskId")
        if (
            "callback forged-id" not in each.injected
            or not isinstance(forged_id, str)
            or not forged_id
            or forged_id in known
        ):
            continue
        for use in uses_of_forged_task(forged_id, evidence):
            yield Observation(
                holds=False, seen=use.seen, event=use.event or each.number, is_minor=use.is_minor
            )


def _check_recovery(fault: str) -> Callable[[Evidence], Iterator[Observation]]:
    """Return a check that the client gets the result despite a callback fault."""

    def check(evidence: Evidence) -> Iterator[Observation]:
        for task, attempt in _first_attempts_with(fault, evidence):
            has_outcome = evidence.has_learned_outcome(task)
            seen = "the client obtained the result"
            if not has_outcome:
                seen = f"the client did not obtain the result and {_exit_of(evidence)}"
            yield Observation(holds=has_outcome, seen=seen, event=attempt.number)

    return check


def _check_late_callback(evidence: Evidence) -> Iterator[Observation]:
    """Check the recovery, also for clients that exited before the late callback."""
    yield from _check_recovery("callback delay")(evidence)
    client_exit = evidence.client_exit
    if client_exit is None or client_exit.timed_out or not evidence.requests_callbacks:
        return
    for task in evidence.tasks:
        if task.state in FINAL and not evidence.callback_attempts(task.id):
            has_outcome = evidence.has_learned_outcome(task)
            seen = "the client polled in the meantime"
            if not has_outcome:
                seen = f"the client {_exit_of(evidence)} before the callback arrived"
            yield Observation(holds=has_outcome, seen=seen)


def _check_lost_callback(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    for task, attempt in _first_attempts_with("callback drop", evidence):
        if evidence.has_learned_outcome(task):
            yield Observation(holds=True, seen="the client polled instead", event=attempt.number)
        elif client_exit is not None:
            seen = f"no callback arrived, and the client {_exit_of(evidence)}"
            yield Observation(holds=client_exit.is_failure, seen=seen, event=attempt.number)


def _check_failure(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    for task in evidence.tasks:
        callbacks = [
            each for each in evidence.failure_notices(task.id) if each.operation == "callback"
        ]
        if callbacks and client_exit is not None:
            code = callbacks[0].payload.get("failCode")
            yield Observation(
                holds=client_exit.is_failure,
                seen=f"the callback reported {code}, and the client {_exit_of(evidence)}",
                event=callbacks[0].number,
            )


def _exit_of(evidence: Evidence) -> str:
    return describe_exit(evidence.client_exit)


def _first_attempts_with(
    fault: str, evidence: Evidence
) -> Iterator[tuple[TaskRecord, HttpExchange]]:
    for task in evidence.tasks:
        attempts = (each for each in evidence.callback_attempts(task.id) if fault in each.injected)
        first = next(attempts, None)
        if first is not None:
            yield task, first


RULES: Final = (
    Rule(
        id="C-CB-001",
        title="Must answer a callback with 200 within 30 s",
        clauses=("CB-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="callback",
        advice="Answer 200 at once and process the result afterwards. The provider delivers the "
        "callback again after any other answer.",
        check=_check_answer,
    ),
    Rule(
        id="C-CB-002",
        title="Must process a repeated callback only once",
        clauses=("CB-4",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="task with two accepted callbacks",
        advice="Remember the task ids that you have processed, and ignore further callbacks for "
        "them.",
        check=_check_duplicates,
    ),
    Rule(
        id="C-CB-003",
        title="Should handle a callback that arrives before the submit response",
        clauses=("CB-4",),
        axis=Axis.OUTCOME,
        level=Level.CHOICE,
        event="callback before the submit response",
        advice="Start the receiver before you submit, and keep callbacks for task ids that you do "
        "not know yet.",
        check=_check_recovery("callback before-answer"),
    ),
    Rule(
        id="C-CB-004",
        title="Must handle a late callback",
        clauses=("CB-4", "CB-5"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="late callback",
        advice="Wait for a callback as long as for a task, or poll in the meantime.",
        check=_check_late_callback,
    ),
    Rule(
        id="C-CB-005",
        title="Must poll or report an error when no callback arrives",
        clauses=("CB-3", "CB-5"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="lost callback",
        advice="Set a deadline for the callback. When it passes, request the status or report an "
        "error.",
        check=_check_lost_callback,
    ),
    Rule(
        id="C-CB-006",
        title="Must ignore a callback with a forged task id",
        clauses=("CB-6",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="callback with a forged task id",
        advice="Callbacks are not signed. Ignore task ids that you did not submit, and continue "
        "to wait for your own.",
        check=_check_forged_callback,
    ),
    Rule(
        id="C-CB-007",
        title="Must ignore a malformed callback",
        clauses=("CB-1", "ENV-4"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="callback whose body is not JSON",
        advice="Answer 400 if the body is not JSON, and continue to wait.",
        check=_check_recovery("callback garbage"),
    ),
    Rule(
        id="C-CB-008",
        title="Must report a failure that it learns from a callback",
        clauses=("CB-1", "STA-8"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="accepted callback with the state 'failed'",
        advice="Check data.state of every callback. The provider also sends callbacks for failed "
        "tasks.",
        check=_check_failure,
        needs_exit=True,
    ),
)
