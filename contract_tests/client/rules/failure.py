"""C-FAIL: how a client reports that it gets no result."""

from collections.abc import Iterator
from typing import Any, Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import API_OPERATIONS, HttpExchange, Trait
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.wording import describe_exit, has_crashed
from contract_tests.contract.provider import FINAL

_FINAL_REJECTIONS: Final = frozenset({400, 401, 403, 404})
_AGENT: Final = frozenset({Trait.AGENT})


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


def _check_giving_up(evidence: Evidence) -> Iterator[Observation]:
    client_exit, last = evidence.client_exit, _last_without_outcome(evidence)
    if client_exit is not None and not client_exit.timed_out and last is not None:
        yield Observation(
            holds=client_exit.is_failure,
            seen=f"the client learned of no result, and {describe_exit(client_exit)}",
            event=last.number,
        )


def _check_rejection_shown(evidence: Evidence) -> Iterator[Observation]:
    client_exit, last = evidence.client_exit, _last_without_outcome(evidence)
    if client_exit is None or client_exit.timed_out or last is None:
        return
    if last.is_broken or not 400 <= last.status <= 599 or _fail_code_of(last):
        return
    is_shown = any(text in client_exit.output for text in _reasons_in(last))
    crashed = has_crashed(client_exit)
    if last.operation == "status" and last.status not in _FINAL_REJECTIONS and not crashed:
        return  # A client that tried until its deadline reports the deadline.
    seen = f"{last.operation} was rejected with {last.status}: "
    if is_shown:
        seen += "the output says so"
    else:
        seen += f"the output does not say so{', and shows a crash' if crashed else ''}"
    yield Observation(holds=is_shown, seen=seen, event=last.number, is_minor=not crashed)


def _check_immediate_fail_code(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    for each in evidence.of("submit"):
        code = _fail_code_of(each)
        if code and client_exit is not None:
            is_shown = code in client_exit.output
            yield Observation(
                holds=is_shown,
                seen=f"{code} is {'' if is_shown else 'not '}in the output",
                event=each.number,
            )


def _check_end(evidence: Evidence) -> Iterator[Observation]:
    """Check that a client ends; C-POLL-004 judges one whose task has not ended."""
    client_exit = evidence.client_exit
    requests = evidence.of(*API_OPERATIONS, "result")
    if client_exit is None or not evidence.of("submit"):
        return
    if client_exit.timed_out and any(task.state not in FINAL for task in evidence.tasks):
        return
    last = requests[-1]
    yield Observation(
        holds=not client_exit.timed_out,
        seen=f"the client {describe_exit(client_exit)}; its last request was a {last.operation}",
        event=last.number,
    )


def _last_without_outcome(evidence: Evidence) -> HttpExchange | None:
    """Return the last API request of a client that submitted, and learned of no end of a task."""
    if not evidence.of("submit") or any(evidence.final_notices(task.id) for task in evidence.tasks):
        return None
    return next(iter(evidence.of(*API_OPERATIONS)[::-1]), None)


def _fail_code_of(submit: HttpExchange) -> str:
    """Return the fail code in the response to a rejected submit; empty if there is none."""
    code = submit.payload.get("failCode") if 400 <= submit.status <= 499 else None
    return code if isinstance(code, str) else ""


def _reasons_in(rejection: HttpExchange) -> Iterator[str]:
    """Yield the texts of which a report of a rejection contains at least one."""
    yield str(rejection.status)
    content: Any = rejection.response_json
    message = content.get("message") if isinstance(content, dict) else None
    for text in (message, rejection.payload.get("error")):
        if isinstance(text, str) and text:
            yield text


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
        not_for=_AGENT,
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
    Rule(
        id="C-FAIL-003",
        title="Must not exit with status 0 after it gave up",
        clauses=("SUB-1", "STA-3", "ENV-2"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="end of a client that has learned of no result",
        advice="If there is no result, raise an exception or exit with a status other than 0. A "
        "submit is accepted only if the response has data.taskId.",
        check=_check_giving_up,
        is_conditional=True,
        needs_exit=True,
        not_for=_AGENT,
    ),
    Rule(
        id="C-FAIL-004",
        title="Must report a rejection instead of crashing on it",
        clauses=("ENV-2", "SUB-14"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="rejection after which the client gave up",
        advice="Check the status of a response before you read data. Show the status and message "
        "to the user.",
        check=_check_rejection_shown,
        is_conditional=True,
        needs_exit=True,
        not_for=_AGENT,
    ),
    Rule(
        id="C-FAIL-005",
        title="Should report a fail code that rejects the submit itself",
        clauses=("FAIL-6",),
        axis=Axis.OUTCOME,
        level=Level.CHOICE,
        event="submit that was rejected with a fail code",
        advice="A fail code may also be the response to the submit. Report data.failCode of a "
        "rejection like that of a failed task.",
        check=_check_immediate_fail_code,
        needs_exit=True,
        not_for=_AGENT,
    ),
    Rule(
        id="C-FAIL-006",
        title="Must exit when it has its pictures or has failed",
        clauses=("TIM-1", "STA-5"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="submit of a client whose tasks have ended",
        advice="Exit after the last picture and after an error. Limit the number of retries, and "
        "close servers, connections and timers: they keep a process alive.",
        check=_check_end,
        is_conditional=True,
        needs_exit=True,
        not_for=_AGENT,
    ),
)
