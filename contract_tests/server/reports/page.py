"""The report as one HTML page that loads nothing from the network."""

from collections import Counter
from collections.abc import Sequence

from contract_tests.contract.report_parts import page_environment
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports.report import CaseResult, Report


def html(report: Report) -> str:
    environment = page_environment("contract_tests.server.reports")
    about = {clause.id: _cases_about(clause.id, report.cases) for clause in report.clauses}
    counts = Counter(clause.verdict for clause in report.clauses)
    return environment.get_template("report.html").render(
        report=report,
        cases_about=about,
        broken=[clause for clause in report.clauses if clause.verdict is Verdict.FAIL],
        verdicts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
    )


def _cases_about(clause_id: str, cases: Sequence[CaseResult]) -> list[CaseResult]:
    """Return the cases about a clause, worst verdict first."""
    about = (case for case in cases if clause_id in case.clauses)
    return sorted(about, key=lambda case: list(Verdict).index(case.verdict))
