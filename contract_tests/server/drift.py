"""Compares two runs, clause by clause: what one server does otherwise than the other."""

from collections.abc import Iterable, Mapping

import msgspec

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports.report import CaseResult, Report

_COMPARABLE = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.WARN})


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One clause whose behaviour differs; each line is about one case."""

    clause: str
    lines: tuple[str, ...]


def drifts(old: Report, new: Report) -> tuple[Drift, ...]:
    """Compare the cases that both runs have exercised, in the order of the clauses."""
    before, after = _exercised(old.cases), _exercised(new.cases)
    found = []
    for clause in new.clauses:
        lines = [
            line
            for case_id in sorted(before.keys() & after.keys())
            if clause.id in after[case_id].clauses
            for line in _differences(clause.id, before[case_id], after[case_id])
        ]
        if lines:
            found.append(Drift(clause=clause.id, lines=tuple(lines)))
    return tuple(found)


def compared(old: Report, new: Report) -> frozenset[str]:
    """Return the ids of the cases that both runs have exercised."""
    return frozenset(_exercised(old.cases).keys() & _exercised(new.cases).keys())


def not_compared(old: Report, new: Report) -> tuple[str, ...]:
    """Return the ids of cases that only one of the runs has exercised."""
    return tuple(sorted(_exercised(old.cases).keys() ^ _exercised(new.cases).keys()))


def _differences(clause: str, old: CaseResult, new: CaseResult) -> Iterable[str]:
    was, now = _seen(clause, old), _seen(clause, new)
    if was.keys() != now.keys():
        yield f"{new.id}: {_said(was)} -> {_said(now)}"
    for line in sorted(set(old.behaviour) - set(new.behaviour)):
        yield f"{new.id}: no longer: {line}"
    for line in sorted(set(new.behaviour) - set(old.behaviour)):
        yield f"{new.id}: now: {line}"


def _seen(clause: str, case: CaseResult) -> Mapping[Verdict, str]:
    return {finding.verdict: finding.seen for finding in case.findings if finding.clause == clause}


def _said(seen: Mapping[Verdict, str]) -> str:
    return ", ".join(f"{verdict} ({text[:120]})" for verdict, text in seen.items()) or "nothing"


def _exercised(cases: Iterable[CaseResult]) -> dict[str, CaseResult]:
    return {case.id: case for case in cases if case.verdict in _COMPARABLE}
