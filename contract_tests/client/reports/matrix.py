"""Several audits side by side: a row a case, a column a client."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from contract_tests.client.reports.report import AuditReport

NOT_TRIED: Final = "-"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A case, and the verdict on each client; empty where it was not tried with one."""

    case_id: str
    title: str
    verdicts: tuple[str, ...]


def matrix(reports: Sequence[AuditReport]) -> Iterator[Row]:
    """Yield the cases of all reports, those of the first one first."""
    titles: dict[str, str] = {}
    for case in (case for report in reports for case in report.cases):
        titles.setdefault(case.id, case.title)
    found = [{case.id: str(case.verdict) for case in report.cases} for report in reports]
    for case_id, title in titles.items():
        verdicts = tuple(each.get(case_id, "") for each in found)
        yield Row(case_id=case_id, title=title, verdicts=verdicts)


def names(reports: Sequence[AuditReport]) -> list[str]:
    """Return a name a report; a client that was audited twice has a number."""
    often = Counter(report.client for report in reports)
    seen: Counter[str] = Counter()
    found = []
    for report in reports:
        seen[report.client] += 1
        number = f" ({seen[report.client]})" if often[report.client] > 1 else ""
        found.append(report.client + number)
    return found
