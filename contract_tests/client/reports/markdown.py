"""The report of an audit for a pull request: what to change first, then who did what."""

from collections.abc import Iterator, Sequence
from typing import Final

from contract_tests.client.reports.matrix import NOT_TRIED, matrix, names
from contract_tests.client.reports.report import AuditReport
from contract_tests.contract.report_parts import markdown_cell as cell
from contract_tests.contract.verdicts import Verdict

_TELLING: Final = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR, Verdict.INCONCLUSIVE)


def markdown(reports: Sequence[AuditReport]) -> str:
    blocks = [
        list(_lines(name, report)) for name, report in zip(names(reports), reports, strict=True)
    ]
    if len(reports) > 1:
        blocks.insert(0, list(_matrix(reports)))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _lines(name: str, report: AuditReport) -> Iterator[str]:
    summary = report.summary
    counts = ", ".join(f"{count} {name}" for name, count in summary.cases.items() if count)
    yield f"# Audit of {cell(name)}"
    yield ""
    axes = f"outcome {summary.outcome}, manners {summary.manners}"
    yield f"{len(report.cases)} cases: {counts}; {axes}."
    for verdict in _TELLING:
        rules = [rule for rule in report.rules if rule.verdict is verdict]
        cases = [each for each in report.cases if each.verdict is verdict and not each.findings]
        if not rules and not cases:
            continue
        yield from ("", f"## {verdict}", "", "| rule | seen | what to change |", "|---|---|---|")
        for rule in rules:
            about = f"{rule.id} {cell(rule.title)} ({', '.join(rule.clauses)})"
            yield f"| {about} | {cell(rule.reason)} | {cell(rule.advice)} |"
        for case in cases:
            yield f"| {cell(case.id)} {cell(case.title)} | {cell(case.reason)} | |"
    yield ""


def _matrix(reports: Sequence[AuditReport]) -> Iterator[str]:
    yield f"# Audit of {len(reports)} clients"
    yield ""
    yield "| case | " + " | ".join(cell(name) for name in names(reports)) + " |"
    yield "|---" * (len(reports) + 1) + "|"
    for row in matrix(reports):
        told = " | ".join(each or NOT_TRIED for each in row.verdicts)
        yield f"| {cell(row.case_id)} {cell(row.title)} | {told} |"
