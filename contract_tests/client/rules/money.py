"""C-PAY: submits that make a client pay twice or for nothing."""

from collections.abc import Iterator
from typing import Final

from contract_tests.client.attribution import are_concurrent
from contract_tests.client.evidence import Evidence, exchanges_after, is_accepted
from contract_tests.client.faults import BREAKS_RESPONSE
from contract_tests.client.records import HttpExchange
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.wording import describe_faults

_PERMANENT: Final = ("CONTENT_VIOLATION", "INVALID_IMAGE_URL")
_UNAVAILABLE: Final = 503


def _check_uncertain_submit(evidence: Evidence) -> Iterator[Observation]:
    checks = evidence.of("balance", "status")
    for submit in evidence.of("submit"):
        is_lost = submit.is_broken and is_accepted(submit)
        if not is_lost and not 500 <= submit.status <= 599:
            continue
        repeat = evidence.repeat_purchase(submit) if is_lost else evidence.next_attempt(submit)
        if repeat is None or are_concurrent(submit, repeat):
            seen = f"the submit was not sent again after {_response_of(submit)}"
            yield Observation(holds=True, seen=seen, event=submit.number)
            continue
        has_checked = any(
            each.number < repeat.number for each in exchanges_after(checks, submit)[:1]
        )
        before = "after a balance or status request" if has_checked else "without any check"
        end = "so the image was paid for twice" if is_lost else "but the first may be accepted, too"
        yield Observation(
            holds=False,
            seen=f"after {_response_of(submit)} the submit was sent again {before}, {end}",
            event=repeat.number,
            # A 503 says that the service did nothing, as far as a client can trust it.
            is_minor=has_checked or submit.status == _UNAVAILABLE,
        )


def _response_of(submit: HttpExchange) -> str:
    """Return what the client received as the response to a submit, as a noun phrase."""
    if submit.is_broken:
        return describe_faults(submit.injected & BREAKS_RESPONSE)
    return f"a {submit.status}"


def _check_permanent_failure(evidence: Evidence) -> Iterator[Observation]:
    for submit in evidence.accepted_submits:
        failures = [
            each
            for each in evidence.failure_notices(submit.task_id)
            if str(each.payload.get("failCode")) in _PERMANENT
        ]
        if failures:
            failure = failures[0]
            repeat = evidence.repeat_purchase(submit, after=failure)
            again = "submitted again" if repeat else "not submitted again"
            yield Observation(
                holds=repeat is None,
                seen=f"after {failure.payload['failCode']} the same input was {again}",
                event=repeat.number if repeat else failure.number,
            )


def _check_single_purchase(evidence: Evidence) -> Iterator[Observation]:
    failed = {task.id for task in evidence.tasks if task.state == "failed"}
    for submit in evidence.accepted_submits:
        if submit.is_broken or submit.task_id in failed:
            continue
        repeat = evidence.repeat_purchase(submit)
        if repeat is None:
            yield Observation(holds=True, seen="the input was submitted once", event=submit.number)
            continue
        is_parallel = are_concurrent(submit, repeat)  # This may be intended.
        when = "twice at the same time" if is_parallel else "again although its task had not failed"
        seen = f"the same input was submitted {when}"
        yield Observation(holds=False, seen=seen, event=repeat.number, is_minor=is_parallel)


RULES: Final = (
    Rule(
        id="C-PAY-001",
        title="Must not resend a submit that may have been accepted",
        clauses=("BIL-1", "SUB-1"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="submit whose response was lost, unreadable or a 5xx",
        advice="Retry a submit only after a 429, or if no connection was established. After a 5xx, "
        "a timeout or a lost response it may have been accepted: do not send it again, and tell "
        "the user that a task may be in progress.",
        check=_check_uncertain_submit,
    ),
    Rule(
        id="C-PAY-002",
        title="Must not resubmit unchanged input that failed for its content or image",
        clauses=("FAIL-1", "FAIL-2"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="task that the client saw fail with CONTENT_VIOLATION or INVALID_IMAGE_URL",
        advice="Treat CONTENT_VIOLATION and INVALID_IMAGE_URL as final: the same input fails "
        "again.",
        check=_check_permanent_failure,
    ),
    Rule(
        id="C-PAY-003",
        title="Must not submit again while its task is valid",
        clauses=("BIL-1", "STA-5"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="accepted submit whose response arrived",
        advice="If a status request or a download fails, retry that request, not the submit.",
        check=_check_single_purchase,
    ),
)
