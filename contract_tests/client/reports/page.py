"""The report of audits for people: one HTML file that needs no network."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from contract_tests.client.reports.drawing import LANES, Drawing, Shape, drawing_of
from contract_tests.client.reports.matrix import matrix, names
from contract_tests.client.reports.report import AuditClause, AuditedCase, AuditReport, RuleResult
from contract_tests.client.reports.timeline import MARKS, Mark, ShownExchange
from contract_tests.client.rule import RuleFinding
from contract_tests.contract.report_parts import page_environment
from contract_tests.contract.verdicts import Verdict

_BAD: Final = frozenset({Verdict.FAIL, Verdict.WARN})
_UNMET: Final = frozenset({Verdict.ERROR, Verdict.INCONCLUSIVE})
_CERTAINTY: Final = {
    "seed": "the provider's document says so",
    "docs": "another page of the provider says so",
    "conflict": "the provider's pages disagree",
    "choice": "no page says so: a choice of this kit",
}
_LEGEND: Final = (
    (Shape.GOOD, "", "went well"),
    (Shape.BAD, "bad", "refused, broken or unanswered"),
    (Shape.THROTTLED, "throttled", "throttled (429)"),
    (Shape.END, "task", "a task ends"),
)


class _Place(msgspec.Struct, frozen=True):
    """Where a rule was seen: the case, and its anchor on the page."""

    case_id: str
    anchor: str


class _Rule(msgspec.Struct, frozen=True):
    result: RuleResult
    places: list[_Place]


class _Found(msgspec.Struct, frozen=True):
    """A finding with all that explains it; `exchange` is the one that offends."""

    finding: RuleFinding
    clauses: list[AuditClause]
    exchange: ShownExchange | None


class _Moment(msgspec.Struct, frozen=True):
    """A mark of the timeline in words; `anchor` leads to what passed, when that is shown."""

    mark: Mark
    lane: str
    rules: tuple[str, ...]
    anchor: str


class _Case(msgspec.Struct, frozen=True):
    anchor: str
    case: AuditedCase
    found: list[_Found]
    drawing: Drawing
    legend: list[tuple[Shape, str, str]]
    moments: list[_Moment]


class _Audit(msgspec.Struct, frozen=True):
    anchor: str
    name: str
    report: AuditReport
    broken: list[_Rule]
    unmet: list[_Rule]
    silent: list[_Rule]
    cases: list[_Case]


def html(reports: Sequence[AuditReport]) -> str:
    environment = page_environment("contract_tests.client.reports")
    counts = Counter(case.verdict for report in reports for case in report.cases)
    style, script = (
        "\n" + "".join(environment.get_template(name).render() + "\n" for name in files)
        for files in (("style.css", "audit.css"), ("filter.js",))
    )
    audits = [
        _audit(number, name, report, is_one=len(reports) == 1)
        for number, (name, report) in enumerate(zip(names(reports), reports, strict=True), 1)
    ]
    return environment.get_template("audit.html").render(
        audits=audits,
        matrix=list(matrix(reports)) if len(reports) > 1 else [],
        verdicts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
        certainty=_CERTAINTY,
        most_marks=MARKS,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _hash(text: str) -> str:
    """Return what a Content-Security-Policy knows a text by: nothing else of the page may run."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _audit(number: int, name: str, report: AuditReport, *, is_one: bool) -> _Audit:
    prefix = "" if is_one else f"{number}-"
    rules = [
        _Rule(rule, _places(rule, report.cases, prefix))
        for rule in sorted(report.rules, key=lambda rule: list(Verdict).index(rule.verdict))
    ]
    return _Audit(
        anchor=f"audit-{number}",
        name=name,
        report=report,
        broken=[each for each in rules if each.result.verdict in _BAD],
        unmet=[each for each in rules if each.result.verdict in _UNMET],
        silent=[each for each in rules if each.result.verdict in {Verdict.PASS, Verdict.SKIP}],
        cases=[_case(case, report.clauses, prefix + case.id) for case in report.cases],
    )


def _places(rule: RuleResult, cases: Iterable[AuditedCase], prefix: str) -> list[_Place]:
    """Return the cases that made the rule's verdict what it is."""
    return [
        _Place(case.id, prefix + case.id)
        for case in cases
        if any(each.rule == rule.id and each.verdict is rule.verdict for each in case.findings)
    ]


def _case(case: AuditedCase, clauses: Sequence[AuditClause], anchor: str) -> _Case:
    shown = {each.number: each for each in case.exchanges}
    by_id = {clause.id: clause for clause in clauses}
    broken: dict[int, tuple[str, ...]] = {}
    for each in case.findings:
        if each.verdict in _BAD and each.event is not None:
            broken[each.event] = (*broken.get(each.event, ()), each.rule)
    found = [
        _Found(
            finding,
            [by_id[each] for each in finding.clauses if each in by_id],
            shown.get(finding.event)
            if finding.event is not None and finding.verdict in _BAD
            else None,
        )
        for finding in sorted(
            case.findings, key=lambda finding: list(Verdict).index(finding.verdict)
        )
    ]
    drawing = drawing_of(case.timeline, broken)
    shapes = {dot.shape for dot in drawing.dots}
    return _Case(
        anchor=anchor,
        case=case,
        found=found,
        drawing=drawing,
        legend=[each for each in _LEGEND if each[0] in shapes],
        moments=[
            _Moment(
                mark,
                LANES.get(mark.kind, mark.kind),
                () if mark.event is None else broken.get(mark.event, ()),
                f"{anchor}-{mark.event}" if mark.event in shown else "",
            )
            for mark in case.timeline
        ],
    )
