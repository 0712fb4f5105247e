"""The lines that an audit prints."""

from collections.abc import Iterator
from typing import Final

import msgspec

from contract_tests.client.reports.report import AuditedCase, AuditReport
from contract_tests.client.rules import RULES
from contract_tests.client.situations import SITUATIONS
from contract_tests.contract.text import count, plain
from contract_tests.contract.verdicts import Verdict

_BROKEN: Final = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.ERROR})


def case_line(case: AuditedCase) -> str:
    """Return one line for a case, and two lines for each rule that needs attention.

    If the client sent no request, no rule can be judged; then only the case's reason says so.
    """
    shown = _BROKEN | {Verdict.INCONCLUSIVE} if case.exchanges else _BROKEN
    line = f"{case.verdict:12} {plain(case.id)}  {plain(case.title)}"
    if case.reason:
        line += f"\n             {plain(case.reason)}"
    for finding in case.findings:
        if finding.verdict in shown:
            line += f"\n             {finding.rule} {finding.verdict}: {plain(finding.title)}"
            line += f"\n             {' ' * len(finding.rule)} seen: {plain(finding.seen)}"
    return line


def summary_lines(report: AuditReport) -> Iterator[str]:
    """Yield what to change in the client, then the counts."""
    for rule in report.rules:
        if rule.verdict in {Verdict.FAIL, Verdict.WARN}:
            yield f"{rule.verdict:12} {rule.id} ({', '.join(rule.clauses)}): {rule.advice}"
    summary = report.summary
    counts = ", ".join(f"{number} {name}" for name, number in summary.cases.items() if number)
    yield f"{count(len(report.cases), 'case')}: {counts}; repeat with --seed {report.seed}"
    yield f"outcome {summary.outcome}, manners {summary.manners}"


def audit_lines(*, as_json: bool) -> Iterator[str]:
    """Yield the cases with the rules that they test, then the rules."""
    rules = [
        {"id": rule.id, "title": rule.title, "clauses": rule.clauses, "axis": rule.axis,
         "level": rule.level, "advice": rule.advice}
        for rule in RULES
    ]  # fmt: skip
    if as_json:
        document = {"cases": SITUATIONS, "rules": rules}
        yield msgspec.json.format(msgspec.json.encode(document)).decode()
        return
    for case in SITUATIONS:
        suite = "quick" if case.is_quick else "full"
        yield f"{case.id:11} {suite:5} {case.title}: {', '.join(case.judged)}"
    for each in RULES:
        clauses = ",".join(each.clauses)
        yield f"{each.id:11} {each.level:6} {each.axis:7} {clauses:20} {each.title}"
