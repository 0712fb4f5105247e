"""The first lines of a report: what was tested, when, how, and the counts of verdicts."""

from collections.abc import Iterator
from typing import Final

from contract_tests.contract.report_parts import Counts
from contract_tests.contract.run_facts import shown_facts
from contract_tests.contract.text import count
from contract_tests.server.reports.report import Report

_SIZES: Final = {2: "pairs", 3: "combinations of three", 4: "combinations of four"}


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


def coverage_text(report: Report) -> str:
    """Return what the scenarios covered in one line, or an empty text if none was played."""
    coverage = report.coverage
    if coverage is None:
        return ""
    sizes = ", ".join(
        f"{each.covered:,} of {each.possible:,} {_SIZES[each.size]}"
        for each in coverage.combinations
    )
    return f"{count(coverage.scenarios, 'scenario')} covered {sizes}"
