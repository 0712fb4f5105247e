"""The report of an audit as Markdown, for a pull request: what to change comes first."""

from collections.abc import Iterator, Sequence
from typing import Final

from contract_tests.client.exploring.reproduction import lines_of
from contract_tests.client.reports.facts import counts_of, facts_of
from contract_tests.client.reports.matrix import NOT_TESTED, client_names, matrix
from contract_tests.client.reports.order import rules_by_urgency
from contract_tests.client.reports.report import AuditReport
from contract_tests.contract.report_parts import markdown_cell as cell
from contract_tests.contract.report_parts import markdown_facts
from contract_tests.contract.verdicts import Verdict

_REPORTED: Final = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR, Verdict.INCONCLUSIVE)


def markdown(reports: Sequence[AuditReport]) -> str:
    """Return a page with a section per audit; several audits begin with a comparison."""
    names = client_names(reports)
    blocks = [list(_section(name, report)) for name, report in zip(names, reports, strict=True)]
    if len(reports) > 1:
        blocks.insert(0, list(_comparison(reports)))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _section(name: str, report: AuditReport) -> Iterator[str]:
    summary = report.summary
    yield f"# Audit of {cell(name)}"
    yield ""
    yield from markdown_facts(facts_of(report), counts_of(report))
    yield f"- Outcome: {summary.outcome}. Manners: {summary.manners}."
    for verdict in _REPORTED:
        rules = [rule for rule in rules_by_urgency(report.rules) if rule.verdict is verdict]
        cases = [each for each in report.cases if each.verdict is verdict and not each.findings]
        if not rules and not cases:
            continue
        yield from ("", f"## {verdict}", "", "| rule | seen | what to change |", "|---|---|---|")
        for rule in rules:
            title = f"{rule.id} {cell(rule.title)} ({', '.join(rule.clauses)})"
            yield f"| {title} | {cell(rule.reason)} | {cell(rule.advice or rule.hint)} |"
        for case in cases:
            title = f"{cell(case.id)} {cell(case.title)}"
            yield f"| {title} | {cell(case.reason)} | {cell(case.hint)} |"
    for case in report.cases:
        if case.reproduction is not None:
            yield from ("", f"## Shortest scenario of {case.id}", "")
            # Four spaces make a code block that no content can end.
            yield from (f"    {line}".rstrip() for line in lines_of(case.reproduction))
    yield ""


def _comparison(reports: Sequence[AuditReport]) -> Iterator[str]:
    yield f"# Audit of {len(reports)} clients"
    yield ""
    yield "| case | " + " | ".join(cell(name) for name in client_names(reports)) + " |"
    yield "|---" * (len(reports) + 1) + "|"
    for row in matrix(reports):
        verdicts = " | ".join(verdict or NOT_TESTED for verdict in row.verdicts)
        yield f"| {cell(row.case_id)} {cell(row.title)} | {verdicts} |"
