"""The report of audits as one HTML file that needs no network."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from contract_tests.client.faults import DESCRIPTIONS
from contract_tests.client.reports.drawing import LANES, Drawing, Shape, draw_timeline
from contract_tests.client.reports.facts import counts_of, facts_of
from contract_tests.client.reports.matrix import client_names, matrix
from contract_tests.client.reports.order import (
    cases_by_urgency,
    findings_by_urgency,
    rules_by_urgency,
)
from contract_tests.client.reports.report import AuditClause, AuditedCase, AuditReport, RuleResult
from contract_tests.client.reports.timeline import MAX_MARKS, Mark, ShownExchange
from contract_tests.client.reports.verdicts import VIOLATED
from contract_tests.client.rule import RuleFinding
from contract_tests.contract.report_parts import (
    CERTAINTIES,
    VERDICT_MEANINGS,
    Counts,
    page_environment,
)
from contract_tests.contract.verdicts import Verdict

_NOT_JUDGED: Final = frozenset({Verdict.ERROR, Verdict.INCONCLUSIVE})
_SILENT: Final = frozenset({Verdict.PASS, Verdict.SKIP})
_LEGEND: Final = (
    (Shape.GOOD, "", "successful"),
    (Shape.BAD, "bad", "rejected, broken or without response"),
    (Shape.THROTTLED, "throttled", "rate-limited (429)"),
    (Shape.END, "task", "end of a task"),
)


class _CaseLink(msgspec.Struct, frozen=True):
    case_id: str
    anchor: str


class _RuleEntry(msgspec.Struct, frozen=True):
    """A rule in the overview, with links to the cases that determined its verdict."""

    result: RuleResult
    cases: list[_CaseLink]


class _FindingEntry(msgspec.Struct, frozen=True):
    """A finding with its clauses and, for a violation, the exchange that shows it."""

    finding: RuleFinding
    clauses: list[AuditClause]
    exchange: ShownExchange | None


class _MomentEntry(msgspec.Struct, frozen=True):
    """A mark of the timeline in words; `anchor` is that of the full exchange, or empty."""

    mark: Mark
    lane: str
    rules: tuple[str, ...]
    anchor: str


class _CaseSection(msgspec.Struct, frozen=True):
    anchor: str
    case: AuditedCase
    findings: list[_FindingEntry]
    drawing: Drawing
    legend: list[tuple[Shape, str, str]]
    moments: list[_MomentEntry]


class _AuditSection(msgspec.Struct, frozen=True):
    anchor: str
    name: str
    report: AuditReport
    facts: list[tuple[str, str]]
    counts: list[Counts]
    violated: list[_RuleEntry]
    not_judged: list[_RuleEntry]
    silent: list[_RuleEntry]
    cases: list[_CaseSection]


def html(reports: Sequence[AuditReport]) -> str:
    """Return a page with all reports; several begin with a comparison."""
    environment = page_environment("contract_tests.client.reports")
    counts = Counter(case.verdict for report in reports for case in report.cases)
    style, script = (
        "\n" + "".join(environment.get_template(name).render() + "\n" for name in files)
        for files in (("style.css", "audit.css"), ("filter.js",))
    )
    audits = [
        _audit_section(number, name, report, is_only=len(reports) == 1)
        for number, (name, report) in enumerate(zip(client_names(reports), reports, strict=True), 1)
    ]
    return environment.get_template("audit.html").render(
        audits=audits,
        matrix=list(matrix(reports)) if len(reports) > 1 else [],
        verdicts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
        certainty=CERTAINTIES,
        faults=DESCRIPTIONS,
        meanings=VERDICT_MEANINGS,
        max_marks=MAX_MARKS,
        style=style,
        script=script,
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
    )


def _csp_hash(text: str) -> str:
    """Return the Content-Security-Policy source that allows exactly this inline text."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _audit_section(number: int, name: str, report: AuditReport, *, is_only: bool) -> _AuditSection:
    prefix = "" if is_only else f"{number}-"
    rules = [
        _RuleEntry(rule, _deciding_cases(rule, report.cases, prefix))
        for rule in rules_by_urgency(report.rules)
    ]
    return _AuditSection(
        anchor=f"audit-{number}",
        name=name,
        report=report,
        facts=list(facts_of(report)),
        counts=list(counts_of(report)),
        violated=[each for each in rules if each.result.verdict in VIOLATED],
        not_judged=[each for each in rules if each.result.verdict in _NOT_JUDGED],
        silent=[each for each in rules if each.result.verdict in _SILENT],
        cases=[
            _case_section(case, report.clauses, prefix + case.id)
            for case in cases_by_urgency(report.cases)
        ],
    )


def _deciding_cases(rule: RuleResult, cases: Iterable[AuditedCase], prefix: str) -> list[_CaseLink]:
    return [
        _CaseLink(case.id, prefix + case.id)
        for case in cases
        if any(each.rule == rule.id and each.verdict is rule.verdict for each in case.findings)
    ]


def _case_section(case: AuditedCase, clauses: Sequence[AuditClause], anchor: str) -> _CaseSection:
    exchanges = {each.number: each for each in case.exchanges}
    violated = _violated_rules(case)
    drawing = draw_timeline(case.timeline, violated)
    shapes = {dot.shape for dot in drawing.dots}
    return _CaseSection(
        anchor=anchor,
        case=case,
        findings=[
            _finding_entry(finding, clauses, exchanges)
            for finding in findings_by_urgency(case.findings)
        ],
        drawing=drawing,
        legend=[each for each in _LEGEND if each[0] in shapes],
        moments=[
            _MomentEntry(
                mark,
                LANES.get(mark.kind, mark.kind),
                () if mark.event is None else violated.get(mark.event, ()),
                f"{anchor}-{mark.event}" if mark.event in exchanges else "",
            )
            for mark in case.timeline
        ],
    )


def _violated_rules(case: AuditedCase) -> dict[int, tuple[str, ...]]:
    """Return the ids of the rules that each event violates, by the event's number."""
    violated: dict[int, tuple[str, ...]] = {}
    for each in case.findings:
        if each.verdict in VIOLATED and each.event is not None:
            violated[each.event] = (*violated.get(each.event, ()), each.rule)
    return violated


def _finding_entry(
    finding: RuleFinding, clauses: Sequence[AuditClause], exchanges: dict[int, ShownExchange]
) -> _FindingEntry:
    by_id = {clause.id: clause for clause in clauses}
    exchange = None
    if finding.event is not None and finding.verdict in VIOLATED:
        exchange = exchanges.get(finding.event)
    cited = [by_id[each] for each in finding.clauses if each in by_id]
    return _FindingEntry(finding, cited, exchange)
