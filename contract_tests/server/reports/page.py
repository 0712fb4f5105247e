"""The report as one HTML page that loads nothing from the network."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from contract_tests.contract.report_parts import CERTAINTIES, VERDICT_MEANINGS, page_environment
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports.facts import counts_of, coverage_text, facts_of
from contract_tests.server.reports.order import cases_by_urgency, clauses_by_urgency
from contract_tests.server.reports.report import CaseResult, ClauseResult, JudgedFinding, Report

_VIOLATED: Final = frozenset({Verdict.FAIL, Verdict.WARN})
_NOT_JUDGED: Final = frozenset({Verdict.ERROR, Verdict.INCONCLUSIVE})


class _ClauseEntry(msgspec.Struct, frozen=True):
    """A clause in the overview, with its case or finding that decided the verdict."""

    clause: ClauseResult
    case: CaseResult | None
    finding: JudgedFinding | None


def html(report: Report) -> str:
    environment = page_environment("contract_tests.server.reports")
    clauses = clauses_by_urgency(report.clauses)
    about = {clause.id: _cases_about(clause.id, report.cases) for clause in clauses}
    counts = Counter(clause.verdict for clause in clauses)
    entries = [_entry(clause, about[clause.id]) for clause in clauses]
    return environment.get_template("report.html").render(
        report=report,
        coverage=report.coverage,
        coverage_text=coverage_text(report),
        facts=list(facts_of(report)),
        counts=list(counts_of(report)),
        meanings=VERDICT_MEANINGS,
        certainty=CERTAINTIES,
        clauses=clauses,
        cases_about=about,
        violated=[each for each in entries if each.clause.verdict in _VIOLATED],
        not_judged=[each for each in entries if each.clause.verdict in _NOT_JUDGED],
        verdicts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
    )


def _entry(clause: ClauseResult, cases: Sequence[CaseResult]) -> _ClauseEntry:
    for case in cases:
        for finding in case.findings:
            if finding.clause == clause.id and finding.verdict is clause.verdict:
                return _ClauseEntry(clause, case, finding)
    deciding = (case for case in cases if case.verdict is clause.verdict)
    return _ClauseEntry(clause, next(deciding, None), None)


def _cases_about(clause_id: str, cases: Sequence[CaseResult]) -> list[CaseResult]:
    """Return the cases about a clause, the most urgent first."""
    return cases_by_urgency(case for case in cases if case.is_about(clause_id))
