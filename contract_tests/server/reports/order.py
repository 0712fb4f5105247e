"""The order in which reports show clauses and cases: the most urgent first."""

from collections.abc import Iterable
from typing import Final

from contract_tests.contract.verdicts import severity
from contract_tests.server.reports.report import CaseResult, ClauseResult

_ABOUT_MONEY: Final = frozenset({"BIL-1", "BIL-2", "BIL-3", "FAIL-5", "SUB-17"})


def clauses_by_urgency(clauses: Iterable[ClauseResult]) -> list[ClauseResult]:
    """Return the clauses, the worst verdict first, and then those about money."""
    return sorted(
        clauses, key=lambda clause: (severity(clause.verdict), clause.id not in _ABOUT_MONEY)
    )


def cases_by_urgency(cases: Iterable[CaseResult]) -> list[CaseResult]:
    """Return the cases, the worst verdict first, and then those about money."""
    return sorted(
        cases,
        key=lambda case: (severity(case.verdict), _ABOUT_MONEY.isdisjoint(case.clauses)),
    )
