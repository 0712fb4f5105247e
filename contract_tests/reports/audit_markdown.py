"""The report of an audit for a pull request: what to change first, then who did what."""

from collections.abc import Iterator, Sequence
from typing import Final

from contract_tests.audit.report import AuditReport
from contract_tests.reports.markdown import cell
from contract_tests.verdicts import Verdict

_TELLING: Final = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR, Verdict.INCONCLUSIVE)


def markdown(reports: Sequence[AuditReport]) -> str:
    return "\n".join(line for report in reports for line in _lines(report)) + (
        "\n" + "\n".join(_matrix(reports)) + "\n" if len(reports) > 1 else "\n"
    )


def _lines(report: AuditReport) -> Iterator[str]:
    summary = report.summary
    counts = ", ".join(f"{count} {name}" for name, count in summary.cases.items() if count)
    yield f"# Audit of {cell(report.client)}"
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
            name = f"{rule.id} {cell(rule.title)} ({', '.join(rule.clauses)})"
            yield f"| {name} | {cell(rule.reason)} | {cell(rule.advice)} |"
        for case in cases:
            yield f"| {case.id} {cell(case.title)} | {cell(case.reason)} | |"
    yield ""


def _matrix(reports: Sequence[AuditReport]) -> Iterator[str]:
    yield "| case | " + " | ".join(cell(report.client) for report in reports) + " |"
    yield "|---" * (len(reports) + 1) + "|"
    for case_id, title, verdicts in matrix(reports):
        told = " | ".join(each or "-" for each in verdicts)
        yield f"| {case_id} {cell(title)} | {told} |"


def matrix(reports: Sequence[AuditReport]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield for each case of any report its id, title and each client's verdict, or nothing."""
    titles = {case.id: case.title for report in reports for case in report.cases}
    found = [{case.id: case.verdict for case in report.cases} for report in reports]
    for case_id, title in titles.items():
        yield case_id, title, [str(each.get(case_id, "")) for each in found]
