"""The paragraphs that a run prints."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final, Protocol, TypeVar

from contract_tests.command.progress import counts, verdict_entry
from contract_tests.command.terminal import VERDICT_STYLES, Entry
from contract_tests.contract.register import Register
from contract_tests.contract.report_parts import CERTAINTIES
from contract_tests.contract.text import count, plain, writable
from contract_tests.contract.verdicts import Reproduction, Verdict
from contract_tests.server.guard import BUDGET_IS_SPENT, PRICE_USD
from contract_tests.server.reports.facts import coverage_text
from contract_tests.server.reports.report import CaseResult, Report

VIOLATED: Final = (Verdict.WARN, Verdict.FAIL)
INDENT: Final = " " * 13
_MOST_REPRODUCTIONS: Final = 3  # The report has all of them.
BLANK: Final = Entry("", "")
_NOT_TESTED: Final = frozenset({Verdict.SKIP, Verdict.INCONCLUSIVE})
_WORST_LAST: Final = (Verdict.INCONCLUSIVE, Verdict.WARN, Verdict.ERROR, Verdict.FAIL)


class Reasoned(Protocol):
    """A result with a reason; of a run or of an audit."""

    @property
    def id(self) -> str: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def reason(self) -> str: ...


C = TypeVar("C", bound=Reasoned)


def result_line(result: CaseResult) -> Entry:
    """Return one line for a case."""
    title = plain(result.title)
    if result.expected_failure:
        title += f"  (expected: {plain(result.expected_failure)})"
    return verdict_entry(result.verdict, result.id, title)


class Shown:
    """The clauses whose reproduction was printed: one each, and at most three in a run."""

    def __init__(self) -> None:
        self._clauses: set[str] = set()

    @property
    def is_first(self) -> bool:
        return len(self._clauses) == 1

    def add(self, clause_id: str) -> bool:
        """Return whether the reproduction is to be printed, and note it."""
        if clause_id in self._clauses or len(self._clauses) >= _MOST_REPRODUCTIONS:
            return False
        self._clauses.add(clause_id)
        return True


def result_entries(
    result: CaseResult, register: Register, shown: Shown | None = None
) -> Iterator[Entry]:
    """Yield a case in full: for each violated clause what was expected and what was seen.

    `shown` are the clauses whose reproduction was printed before.
    """
    shown = shown or Shown()
    yield result_line(result)
    if result.reason:
        yield Entry(INDENT, plain(result.reason))
    findings = (each for each in result.findings if each.verdict in VIOLATED)
    for clause_id, same in groupby(findings, key=lambda each: each.clause):
        clause = register[clause_id]
        source = CERTAINTIES[clause.certainty]
        yield Entry(f"{INDENT}{clause_id}: ", f"{clause.text} ({source})", "bold")
        for finding in same:
            yield from expected_and_seen(finding.expected, finding.seen)
            if finding.reproduction is not None and shown.add(clause_id):
                yield from _reproduction_entries(finding.reproduction, is_first=shown.is_first)


def expected_and_seen(expected: str, seen: str) -> Iterator[Entry]:
    yield Entry(f"{INDENT}  expected  ", plain(expected), "bold", "green")
    yield Entry(f"{INDENT}  seen      ", plain(seen), "bold", "red")


def _reproduction_entries(reproduction: Reproduction, *, is_first: bool) -> Iterator[Entry]:
    """Yield the shortest sequence that shows a violation; its lines can be copied.

    Only the first one is also shown as a test, because a test is long.
    """
    also = "" if is_first else "  (the report also has a pytest test)"
    yield Entry(f"{INDENT}  to reproduce it:", also, "bold")
    for form in (reproduction.curl, reproduction.pytest) if is_first else (reproduction.curl,):
        yield BLANK
        for line in form.rstrip().split("\n"):
            yield Entry("", writable(line), is_wrapped=False)
    yield BLANK


def result_text(result: CaseResult, register: Register) -> str:
    """Return a case in full, as lines."""
    return "\n".join(entry.plain for entry in result_entries(result, register))


def summary_entries(
    report: Report,
    register: Register,
    *,
    spent_usd: Decimal | None = None,
    directory: Path | None = None,
) -> Iterator[Entry]:
    """Yield the cases that need attention, the worst last, then the counts."""
    yield from paragraph(_details(report, register))
    yield BLANK
    for verdict in VIOLATED:
        clauses = [each.id for each in report.clauses if each.verdict is verdict]
        if clauses:
            yield Entry(f"{verdict} clauses: ", ", ".join(clauses), VERDICT_STYLES[verdict])
    total = count(len(report.cases), "case")
    summary = report.summary
    yield Entry("", f"{total}: {counts(summary.cases)}; repeat with --seed {report.seed}")
    if spent_usd is not None:
        yield Entry("", f"spent at most ${spent_usd}, at ${PRICE_USD} per image")
    if report.coverage is not None:
        yield Entry("", coverage_text(report))
    covered = f"{summary.clauses_exercised} of {summary.clauses_testable}"
    yield Entry("", f"{covered} testable clauses covered")
    yield from _untested(report)
    if directory is not None:
        yield report_path(directory)


def paragraph(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield a blank line and the entries, or nothing if there is no entry."""
    found = list(entries)
    if found:
        yield BLANK
        yield from found


def _details(report: Report, register: Register) -> Iterator[Entry]:
    shown = Shown()
    for verdict in _WORST_LAST:
        cases = [each for each in report.cases if each.verdict is verdict]
        alone = [each for each in cases if is_violation(each)]
        yield from grouped_reasons(each for each in cases if not is_violation(each))
        for result in alone:
            yield from result_entries(result, register, shown)


def _untested(report: Report) -> Iterator[Entry]:
    """Yield one line for each reason why cases were skipped; it says what makes them possible."""
    open_clauses = {each.id for each in report.clauses if each.verdict in _NOT_TESTED}
    groups: dict[str, list[CaseResult]] = {}
    for case in report.cases:
        if case.verdict is Verdict.SKIP:
            is_about_money = case.reason.endswith(BUDGET_IS_SPENT)  # Each has other amounts.
            reason = "cost more than is left; raise --budget" if is_about_money else case.reason
            groups.setdefault(reason, []).append(case)
    for reason, cases in groups.items():
        clauses = open_clauses & {clause for case in cases for clause in case.clauses}
        which = plain(cases[0].id) if len(cases) == 1 else f"{len(cases)} cases"
        if clauses:
            which += f", {count(len(clauses), 'clause')} not covered"
        yield Entry(f"skipped {which}: ", plain(reason) or "no reason", "dim")


def is_violation(result: CaseResult) -> bool:
    return any(each.verdict in VIOLATED for each in result.findings)


def grouped_reasons(cases: Iterable[C]) -> Iterator[Entry]:
    """Yield one line for all cases with the same verdict and reason, in the order of the cases."""
    groups: dict[tuple[Verdict, str], list[str]] = {}
    for case in cases:
        groups.setdefault((case.verdict, case.reason), []).append(case.id)
    for (verdict, reason), ids in groups.items():
        which = plain(ids[0]) if len(ids) == 1 else f"{len(ids)} cases"
        yield Entry(
            f"{verdict:12} {which}: ", plain(reason) or "no reason", VERDICT_STYLES[verdict]
        )


def report_path(directory: Path) -> Entry:
    path = plain(str(directory / "report.html"))
    return Entry("report: ", path, "bold", is_wrapped=False)
