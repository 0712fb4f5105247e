"""The report as Markdown for a pull request: failures first, then all clauses."""

from collections.abc import Iterator

from contract_tests.contract.report_parts import markdown_cell as cell
from contract_tests.contract.report_parts import markdown_facts
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports.facts import counts_of, facts_of
from contract_tests.server.reports.order import cases_by_urgency, clauses_by_urgency
from contract_tests.server.reports.report import Report

_LISTED = (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.WARN)


def markdown(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# Contract of {cell(report.base_url)}"
    yield ""
    yield from markdown_facts(facts_of(report), counts_of(report))
    for verdict in _LISTED:
        cases = [case for case in cases_by_urgency(report.cases) if case.verdict is verdict]
        if not cases:
            continue
        yield from (
            "",
            f"## {verdict}",
            "",
            "| case | clause | expected | seen |",
            "|---|---|---|---|",
        )
        for case in cases:
            name = f"{case.id} {cell(case.title)}"
            findings = [finding for finding in case.findings if finding.verdict is verdict]
            for finding in findings:
                expected, seen = cell(finding.expected), cell(finding.seen)
                yield f"| {name} | {finding.clause} | {expected} | {seen} |"
            if not findings:
                yield f"| {name} | {', '.join(case.clauses)} | | {cell(case.reason)} |"
    yield from ("", "## Clauses", "", "| clause | verdict | cases |", "|---|---|---|")
    for clause in clauses_by_urgency(report.clauses):
        yield f"| {clause.id} | {clause.verdict} | {len(clause.cases)} |"
