"""What a run prints."""

from collections.abc import Iterator
from decimal import Decimal

from contract_tests.contract.text import plain
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.guard import PRICE
from contract_tests.server.reports.report import CaseResult, Report

_TELLING = frozenset({Verdict.FAIL, Verdict.WARN})


def result_line(result: CaseResult) -> str:
    """One line a case; a failure tells what was expected and what was seen."""
    line = f"{result.verdict:12} {result.id}  {plain(result.title)}"
    if result.expected_failure:
        line += f"  (expected: {plain(result.expected_failure)})"
    if result.reason:
        line += f"\n             {plain(result.reason)}"
    for finding in result.findings:
        if finding.verdict in _TELLING:
            line += f"\n             {finding.clause}: expected {plain(finding.expected)}"
            line += f"\n             {' ' * len(finding.clause)}  seen     {plain(finding.seen)}"
    return line


def summary_lines(report: Report, spent: Decimal | None = None) -> Iterator[str]:
    """Sum a run up; the last line says how much of the contract was exercised."""
    for clause in report.clauses:
        if clause.verdict in {Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE}:
            yield f"{clause.verdict:12} {clause.id} ({clause.certainty}): {clause.text}"
    summary = report.summary
    counts = ", ".join(f"{count} {name}" for name, count in summary.cases.items() if count)
    yield f"{len(report.cases)} cases: {counts}; repeat with --seed {report.seed}"
    if spent is not None:
        yield f"spent ${spent} at most, at ${PRICE} an image"
    yield (
        f"exercised {summary.clauses_exercised} of {summary.clauses_testable} clauses"
        f" that can be tested"
    )
