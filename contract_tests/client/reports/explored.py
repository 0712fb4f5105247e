"""Turns an exploration into cases of a report.

Each failure is a case, and each invariant that was not violated.
"""

from collections.abc import Collection, Iterator

from contract_tests.client.exploring.exploration import Explorer, Failure
from contract_tests.client.exploring.invariants import BY_ID, INVARIANTS, Invariant
from contract_tests.client.exploring.reproduction import reproduction_of
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.reports.timeline import marks_of, shown_exchanges
from contract_tests.client.rule import finding_of
from contract_tests.contract.redaction import Redaction
from contract_tests.contract.text import count, writable
from contract_tests.contract.verdicts import Verdict

_MAX_OUTPUT = 4_000  # characters


def explored_cases(
    explorer: Explorer, judged: Collection[str], command: str
) -> Iterator[AuditedCase]:
    """Yield the cases in the order of the invariants."""
    for invariant in INVARIANTS:
        if invariant.id not in judged:
            continue
        failures = [f for f in explorer.failures if f.violation.invariant == invariant.id]
        for number, failure in enumerate(failures, 1):
            yield _failed_case(invariant, failure, number, command)
        if not failures:
            yield _held_case(invariant, explorer.tried)


def failure_id(failure: Failure, failures: Collection[Failure]) -> str:
    """Return the id of the case of a failure among those that are known: `X-PAY`, `X-PAY-2`."""
    same = [f for f in failures if f.violation.invariant == failure.violation.invariant]
    return _case_id(failure.violation.invariant, same.index(failure) + 1)


def _case_id(invariant: str, number: int) -> str:
    return invariant if number == 1 else f"{invariant}-{number}"


def _failed_case(invariant: Invariant, failure: Failure, number: int, command: str) -> AuditedCase:
    outcome, violation = failure.outcome, failure.violation
    events = [] if violation.event is None else [violation.event]
    verdict = Verdict.FAIL if failure.is_repeatable else Verdict.WARN
    redaction = Redaction([outcome.key])
    output = "".join(run.output for run in outcome.runs)[-_MAX_OUTPUT:]
    return AuditedCase(
        id=_case_id(invariant.id, number),
        title=", then ".join(outcome.scenario.describe()),
        clauses=invariant.clauses,
        verdict=verdict,
        findings=(finding_of(BY_ID[invariant.id], verdict, violation.seen, violation.event),),
        timeline=marks_of(outcome.evidence, events),
        exchanges=shown_exchanges(outcome.evidence, events),
        output=writable(redaction.text(output)),
        timed_out=any(run.timed_out for run in outcome.runs),
        reproduction=reproduction_of(failure, command),
    )


def _held_case(invariant: Invariant, tried: int) -> AuditedCase:
    title = f"The client {invariant.title[0].lower()}{invariant.title[1:]}"
    if not tried:
        seen = "not tested: no scenario ended in time"
        verdict = Verdict.INCONCLUSIVE
    else:
        seen = f"not violated in {count(tried, 'scenario')}"
        verdict = Verdict.PASS
    return AuditedCase(
        id=invariant.id,
        title=title,
        clauses=invariant.clauses,
        verdict=verdict,
        reason=seen,
        findings=(finding_of(invariant, verdict, seen),),
    )
