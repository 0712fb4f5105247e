"""The canonical report of a run; all other formats are made from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from contract_tests.contract.register import Register
from contract_tests.contract.run_facts import RunFacts
from contract_tests.contract.text import writable
from contract_tests.contract.verdicts import (
    Finding,
    Reproduction,
    Verdict,
    verdict_of,
    worst,
)
from contract_tests.server.case import Case
from contract_tests.server.contexts import Context, Coverage
from contract_tests.server.events import Event
from contract_tests.server.reports.behaviour import behaviour_of
from contract_tests.server.reports.shown_events import ShownEvent, shown_events

VERSION = 1


class JudgedFinding(msgspec.Struct, frozen=True, kw_only=True):
    clause: str
    verdict: Verdict
    expected: str
    seen: str
    event: int | None = None
    reproduction: Reproduction | None = None
    """The shortest sequence of requests that shows a violation, if the kit has searched for it."""


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a case; `reason` explains it if the findings do not.

    `expected_failure` is the reason why a failure is expected; an expected failure does not count.
    """

    id: str
    title: str
    clauses: tuple[str, ...]
    verdict: Verdict
    reason: str = ""
    expected_failure: str = ""
    findings: tuple[JudgedFinding, ...] = ()
    events: tuple[ShownEvent, ...] = ()
    behaviour: tuple[str, ...] = ()
    """The server's behaviour as lines, for the comparison with another run."""
    contexts: tuple[Context, ...] = ()
    """The scenarios that it played."""
    duration_s: float = 0.0

    def is_about(self, clause_id: str) -> bool:
        """Return whether the case tests the clause, or has a finding about it all the same."""
        return clause_id in self.clauses or any(each.clause == clause_id for each in self.findings)


class ClauseResult(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    text: str
    certainty: str
    level: str
    verdict: Verdict
    cases: tuple[str, ...] = ()
    reason: str = ""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    cases: Mapping[str, int]
    """The number of cases per verdict."""
    clauses: Mapping[str, int] = {}
    """The number of clauses per verdict."""
    clauses_exercised: int
    clauses_testable: int
    exit_status: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run against one server.

    `selection` are the switches that selected cases; empty if the suite selected them. Then
    `clauses` are all clauses of the contract, otherwise those of the selected cases.
    """

    version: int
    run: RunFacts = RunFacts()
    base_url: str
    is_live: bool
    profile: str
    selection: tuple[str, ...] = ()
    seed: int
    settings: Mapping[str, Any] | None
    cases: tuple[CaseResult, ...]
    clauses: tuple[ClauseResult, ...]
    coverage: Coverage | None = None
    """What the scenarios covered; None if none was played."""
    summary: Summary


def case_result(
    case: Case,
    findings: Sequence[Finding],
    register: Register,
    *,
    is_live: bool,
    has_control: bool,
    base_url: str,
    events: Sequence[Event] = (),
    contexts: Sequence[Context] = (),
    ended_early: Verdict | None = None,
    reason: str = "",
    expected_failure: str = "",
    duration_s: float = 0.0,
) -> CaseResult:
    """Judge what a case found. `ended_early` is the verdict of a case that was interrupted."""
    judged = tuple(
        JudgedFinding(
            clause=finding.clause,
            verdict=verdict_of(
                finding, register[finding.clause], is_live=is_live, has_control=has_control
            ),
            expected=writable(finding.expected),
            seen=writable(finding.seen),
            event=finding.event,
            reproduction=finding.reproduction,
        )
        for finding in findings
    )
    verdict = worst(finding.verdict for finding in judged)
    missed = [clause for clause in case.clauses if clause not in {each.clause for each in judged}]
    if ended_early is Verdict.SKIP and verdict is Verdict.PASS:
        verdict = Verdict.SKIP  # It was interrupted, so it has not passed.
    elif ended_early is not None:
        verdict = worst((verdict, ended_early))
    elif missed:
        verdict = worst((verdict, Verdict.INCONCLUSIVE))
        reason = f"the case has no finding about {' and '.join(missed)}"
    if expected_failure and verdict is Verdict.PASS:
        verdict, reason = Verdict.FAIL, f"expected to fail ({expected_failure}), but passed"
        expected_failure = ""
    return CaseResult(
        id=case.id,
        title=case.title,
        clauses=case.clauses,
        verdict=verdict,
        reason=writable(reason),
        expected_failure=expected_failure if verdict is Verdict.FAIL else "",
        findings=judged,
        events=shown_events(
            events,
            [
                each.event
                for each in judged
                # A scenario is one of many, so its last requests say nothing about the others.
                if each.event is not None and not (contexts and each.verdict is Verdict.PASS)
            ],
            base_url,
            has_others=not contexts,
        ),
        behaviour=tuple(writable(line) for line in behaviour_of(events)),
        contexts=tuple(contexts),
        duration_s=round(duration_s, 3),
    )


def clause_results(
    cases: Sequence[CaseResult], register: Register, *, is_selection: bool = False
) -> tuple[ClauseResult, ...]:
    """Return the verdict on each clause, from the findings of all cases.

    Of a selection of cases, return only the clauses that they are about.
    """
    results = []
    for clause in register:
        about = [case for case in cases if case.is_about(clause.id)]
        if is_selection and not about:
            continue
        found = [
            finding.verdict
            for case in cases
            for finding in case.findings
            if finding.clause == clause.id
        ]
        reason = ""
        if found:
            verdict = worst(found)
        elif not clause.testable:
            verdict, reason = Verdict.SKIP, clause.why_not or ""
        elif all(case.verdict is Verdict.SKIP for case in about):
            verdict, reason = (
                Verdict.SKIP,
                about[0].reason if about else "no selected case tests this clause",
            )
        else:
            verdict, reason = Verdict.INCONCLUSIVE, "could not be tested: no case reached a finding"
        results.append(
            ClauseResult(
                id=clause.id,
                text=clause.text,
                certainty=clause.certainty,
                level=clause.level,
                verdict=verdict,
                cases=tuple(case.id for case in about),
                reason=reason,
            )
        )
    return tuple(results)


def summary_of(
    cases: Sequence[CaseResult], clauses: Sequence[ClauseResult], register: Register
) -> Summary:
    """Return the counts. Exit status: 1 for a failure, 3 if something was not tested, else 0."""
    counting = [case.verdict for case in cases if not case.expected_failure]
    status = 0
    if Verdict.FAIL in counting:
        status = 1
    elif {Verdict.ERROR, Verdict.INCONCLUSIVE} & set(counting):
        status = 3
    exercised = {Verdict.PASS, Verdict.FAIL, Verdict.WARN}
    return Summary(
        cases={verdict: sum(case.verdict is verdict for case in cases) for verdict in Verdict},
        clauses_exercised=sum(clause.verdict in exercised for clause in clauses),
        clauses={
            verdict: sum(clause.verdict is verdict for clause in clauses) for verdict in Verdict
        },
        clauses_testable=sum(register[clause.id].testable for clause in clauses),
        exit_status=status,
    )
