"""The first lines of a report: which client, when, how, and the counts of verdicts."""

from collections.abc import Iterator

from contract_tests.client.reports.report import AuditReport
from contract_tests.contract.report_parts import Counts
from contract_tests.contract.run_facts import shown_facts
from contract_tests.contract.text import count


def facts_of(report: AuditReport) -> Iterator[tuple[str, str]]:
    """Yield the facts of an audit as pairs of a label and a text."""
    yield "Client", report.client
    yield "Target", f"mock at {report.base_url}"
    yield from shown_facts(report.run)
    if report.exploration is not None:
        yield "Explored", f"{count(report.exploration.scenarios, 'scenario')}"
    if report.selection:
        yield "Selection", " ".join(report.selection)
    elif report.exploration is None:
        yield "Suite", report.profile
    if report.declared:
        yield "Declared", " ".join(report.declared)
    if report.seed is not None:
        yield "Seed", f"{report.seed} (--seed {report.seed} repeats the audit)"
    if report.strict:
        yield "Mode", "strict: a WARN fails the audit"


def counts_of(report: AuditReport) -> Iterator[Counts]:
    """Yield the counts of the cases, of the rules, and of the clauses that the rules cite."""
    yield Counts.of("Cases", (case.verdict for case in report.cases))
    yield Counts.of("Rules", (rule.verdict for rule in report.rules))
    yield Counts.of("Clauses", (clause.verdict for clause in report.clauses))
