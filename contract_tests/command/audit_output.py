"""The paragraphs that an audit prints."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from contract_tests.client.reports.report import AuditedCase, AuditReport, RuleResult
from contract_tests.client.rules import RULES
from contract_tests.client.situations import SITUATIONS
from contract_tests.command.progress import counts, verdict_entry
from contract_tests.command.run_output import BLANK, INDENT, grouped_reasons, paragraph, report_path
from contract_tests.command.terminal import Entry
from contract_tests.contract.text import count, plain
from contract_tests.contract.verdicts import Verdict

_SHOWN: Final = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.ERROR})
_UNTESTED: Final = frozenset({Verdict.SKIP, Verdict.INCONCLUSIVE})
_WORST_LAST: Final = (Verdict.WARN, Verdict.ERROR, Verdict.FAIL)
_MAX_SEEN: Final = 3  # Cases in which a violation is shown; the report has all of them.


def case_line(case: AuditedCase) -> Entry:
    """Return one line for a case, with the rules that it violates."""
    rules = [f"{each.rule} {each.verdict}" for each in case.findings if each.verdict in _SHOWN]
    title = plain(case.title)
    if rules:
        title += f": {', '.join(rules)}"
    elif case.reason and case.verdict is not Verdict.PASS:
        title += f": {plain(case.reason)}"
    return verdict_entry(case.verdict, plain(case.id), title)


def summary_entries(report: AuditReport, directory: Path | None = None) -> Iterator[Entry]:
    """Yield what was not tested, what to change in the client, and the counts."""
    yield from paragraph(_details(report))
    yield BLANK
    summary = report.summary
    total = count(len(report.cases), "case")
    yield Entry("", f"{total}: {counts(summary.cases)}; repeat with --seed {report.seed}")
    yield Entry("", f"outcome {summary.outcome}, manners {summary.manners}")
    if directory is not None:
        yield report_path(directory)


def _details(report: AuditReport) -> Iterator[Entry]:
    yield from grouped_reasons(each for each in report.cases if each.verdict is Verdict.SKIP)
    for case in report.cases:
        if case.verdict is Verdict.INCONCLUSIVE and case.exchanges:
            yield from _inconclusive(case)
    yield from grouped_reasons(
        each for each in report.cases
        if each.verdict is Verdict.INCONCLUSIVE and not each.exchanges
    )  # fmt: skip
    yield from _hints(report.cases)
    yield from grouped_reasons(
        each for each in report.cases if each.verdict is Verdict.ERROR and not each.findings
    )
    for verdict in _WORST_LAST:
        for rule in report.rules:
            if rule.verdict is verdict:
                yield from _violation(rule, report.cases)


def _hints(cases: Sequence[AuditedCase]) -> Iterator[Entry]:
    """Yield once how to test what was not tested."""
    untested = [case for case in cases if case.verdict in _UNTESTED]
    hints = [case.hint for case in untested]
    hints += [
        finding.hint
        for case in untested
        if case.exchanges
        for finding in case.findings
        if finding.verdict is case.verdict
    ]
    for hint in dict.fromkeys(filter(None, hints)):
        yield Entry("to test: ", plain(hint), "bold")


def _inconclusive(case: AuditedCase) -> Iterator[Entry]:
    """Yield a case of a client that sent requests, but not those that its rules are about."""
    yield verdict_entry(case.verdict, plain(case.id), plain(case.title))
    if case.reason:
        yield Entry(INDENT, plain(case.reason))
    for finding in case.findings:
        if finding.verdict is Verdict.INCONCLUSIVE:
            yield Entry(f"{INDENT}{finding.rule}: ", plain(finding.seen))


def _violation(rule: RuleResult, cases: Sequence[AuditedCase]) -> Iterator[Entry]:
    """Yield a rule with what the client must do, what it did, and what to change."""
    found = [
        (case, finding)
        for case in cases
        for finding in case.findings
        if finding.rule == rule.id and finding.verdict in _SHOWN
    ]
    found.sort(key=lambda each: each[1].verdict is not rule.verdict)  # The decisive ones first.
    expected = found[0][1].expected
    clauses = ", ".join(rule.clauses)
    yield verdict_entry(rule.verdict, rule.id, f"{expected[0].upper()}{expected[1:]} ({clauses})")
    lead = "seen    "
    for case, finding in found[:_MAX_SEEN]:
        yield Entry(INDENT + lead, f"{plain(finding.seen)} ({plain(case.id)})", "bold", "red")
        lead = " " * len(lead)
    if len(found) > _MAX_SEEN:
        yield Entry(INDENT + lead, f"and in {count(len(found) - _MAX_SEEN, 'further case')}")
    if rule.advice:
        yield Entry(f"{INDENT}change  ", plain(rule.advice), "bold")


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
