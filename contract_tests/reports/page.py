"""The report for people: one HTML file that needs no network."""

from collections import Counter
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from contract_tests.report import CaseResult, Report
from contract_tests.verdicts import Verdict


def html(report: Report) -> str:
    environment = Environment(
        loader=PackageLoader("contract_tests.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    about = {clause.id: _cases_about(clause.id, report.cases) for clause in report.clauses}
    counts = Counter(clause.verdict for clause in report.clauses)
    return environment.get_template("report.html").render(
        report=report,
        cases_about=about,
        broken=[clause for clause in report.clauses if clause.verdict is Verdict.FAIL],
        verdicts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
    )


def _cases_about(clause_id: str, cases: Sequence[CaseResult]) -> list[CaseResult]:
    """Return them with the worst first."""
    about = (case for case in cases if clause_id in case.clauses)
    return sorted(about, key=lambda case: list(Verdict).index(case.verdict))
