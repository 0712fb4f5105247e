"""The lines that a run prints."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from contract_tests.contract.text import count, plain
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.guard import PRICE_USD
from contract_tests.server.reports.report import CaseResult, Report

_SHOWN_FINDINGS: Final = frozenset({Verdict.FAIL, Verdict.WARN})
_SHOWN_CLAUSES: Final = _SHOWN_FINDINGS | {Verdict.INCONCLUSIVE}


def result_line(result: CaseResult) -> str:
    """Return one line for a case, and for each failed finding what was expected and seen."""
    line = f"{result.verdict:12} {result.id}  {plain(result.title)}"
    if result.expected_failure:
        line += f"  (expected: {plain(result.expected_failure)})"
    if result.reason:
        line += f"\n             {plain(result.reason)}"
    for finding in result.findings:
        if finding.verdict in _SHOWN_FINDINGS:
            line += f"\n             {finding.clause}: expected {plain(finding.expected)}"
            line += f"\n             {' ' * len(finding.clause)}  seen     {plain(finding.seen)}"
    return line


def summary_lines(report: Report, spent_usd: Decimal | None = None) -> Iterator[str]:
    """Yield the clauses that need attention, the counts, and last the coverage of the contract."""
    for clause in report.clauses:
        if clause.verdict in _SHOWN_CLAUSES:
            yield f"{clause.verdict:12} {clause.id} ({clause.certainty}): {clause.text}"
    summary = report.summary
    counts = ", ".join(f"{number} {name}" for name, number in summary.cases.items() if number)
    yield f"{count(len(report.cases), 'case')}: {counts}; repeat with --seed {report.seed}"
    if spent_usd is not None:
        yield f"spent at most ${spent_usd}, at ${PRICE_USD} per image"
    yield f"{summary.clauses_exercised} of {summary.clauses_testable} testable clauses covered"
