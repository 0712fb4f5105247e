"""The report for people: one HTML file that needs no network."""

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
    return environment.get_template("report.html").render(
        report=report, cases_about=about, verdicts=list(Verdict)
    )


def _cases_about(clause_id: str, cases: Sequence[CaseResult]) -> list[CaseResult]:
    return [case for case in cases if clause_id in case.clauses]
