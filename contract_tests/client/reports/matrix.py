"""Compares several audits: one row per case, one column per client."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from contract_tests.client.reports.report import AuditReport

NOT_TESTED: Final = "-"


class MatrixRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case with the verdict on each client; empty for a client that was not tested in it."""

    case_id: str
    title: str
    verdicts: tuple[str, ...]


def matrix(reports: Sequence[AuditReport]) -> Iterator[MatrixRow]:
    """Yield one row for each case of any report, in the order of the reports."""
    titles: dict[str, str] = {}
    for case in (case for report in reports for case in report.cases):
        titles.setdefault(case.id, case.title)
    columns = [{case.id: str(case.verdict) for case in report.cases} for report in reports]
    for case_id, title in titles.items():
        verdicts = tuple(column.get(case_id, "") for column in columns)
        yield MatrixRow(case_id=case_id, title=title, verdicts=verdicts)


def client_names(reports: Sequence[AuditReport]) -> list[str]:
    """Return a name for each report; clients with the same name are numbered."""
    totals = Counter(report.client for report in reports)
    seen: Counter[str] = Counter()
    names = []
    for report in reports:
        seen[report.client] += 1
        number = f" ({seen[report.client]})" if totals[report.client] > 1 else ""
        names.append(report.client + number)
    return names
