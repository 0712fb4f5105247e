"""Compares two runs clause by clause and finds differences in behaviour."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports.report import CaseResult, Report

_TESTED: Final = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.WARN})
_SEEN_SHOWN: Final = 120  # characters


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One clause for which the behaviour differs; each line is about one case."""

    clause: str
    lines: tuple[str, ...]


def drifts(old: Report, new: Report) -> tuple[Drift, ...]:
    """Return the differences of the cases that both runs tested, in the order of the clauses."""
    before, after = _tested(old.cases), _tested(new.cases)
    found = []
    for clause in new.clauses:
        lines = [
            line
            for case_id in sorted(before.keys() & after.keys())
            if before[case_id].is_about(clause.id) or after[case_id].is_about(clause.id)
            for line in _differences(clause.id, before[case_id], after[case_id])
        ]
        if lines:
            found.append(Drift(clause=clause.id, lines=tuple(lines)))
    return tuple(found)


def compared_cases(old: Report, new: Report) -> frozenset[str]:
    """Return the ids of the cases that both runs tested."""
    return frozenset(_tested(old.cases).keys() & _tested(new.cases).keys())


def uncompared_cases(old: Report, new: Report) -> tuple[str, ...]:
    """Return the ids of the cases that only one of the runs tested."""
    return tuple(sorted(_tested(old.cases).keys() ^ _tested(new.cases).keys()))


def _differences(clause: str, old: CaseResult, new: CaseResult) -> Iterable[str]:
    before, after = _seen(clause, old), _seen(clause, new)
    if before.keys() != after.keys():
        yield f"{new.id}: {_described(before)} -> {_described(after)}"
    for line in sorted(set(old.behaviour) - set(new.behaviour)):
        yield f"{new.id}: no longer: {line}"
    for line in sorted(set(new.behaviour) - set(old.behaviour)):
        yield f"{new.id}: now: {line}"


def _seen(clause: str, case: CaseResult) -> Mapping[Verdict, str]:
    return {finding.verdict: finding.seen for finding in case.findings if finding.clause == clause}


def _described(seen: Mapping[Verdict, str]) -> str:
    parts = (f"{verdict} ({text[:_SEEN_SHOWN]})" for verdict, text in seen.items())
    return ", ".join(parts) or "nothing"


def _tested(cases: Iterable[CaseResult]) -> dict[str, CaseResult]:
    return {case.id: case for case in cases if case.verdict in _TESTED}
