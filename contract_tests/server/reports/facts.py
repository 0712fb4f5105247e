"""The first lines of a report: what was tested, when, how, and the counts of verdicts."""

from collections.abc import Iterator

from contract_tests.contract.report_parts import Counts
from contract_tests.contract.run_facts import shown_facts
from contract_tests.server.reports.report import Report


def facts_of(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the facts of a run as pairs of a label and a text."""
    yield "Target", f"{report.base_url} (live service)" if report.is_live else report.base_url
    yield from shown_facts(report.run)
    if report.selection:
        yield "Selection", " ".join(report.selection)
    else:
        yield "Suite", report.profile
    yield "Seed", f"{report.seed} (--seed {report.seed} repeats the run)"


def counts_of(report: Report) -> Iterator[Counts]:
    """Yield the counts of the cases and those of the clauses."""
    summary = report.summary
    yield Counts.of("Cases", (case.verdict for case in report.cases))
    coverage = f"{summary.clauses_exercised} of {summary.clauses_testable} testable clauses covered"
    yield Counts.of("Clauses", (clause.verdict for clause in report.clauses), note=coverage)
