"""All cases in the order of the contract, and how to select from them."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final, Protocol, TypeVar

from contract_tests.server.case import Case

Globs = Sequence[str]

SUITES: Final = ("smoke", "full", "deep")


def all_cases() -> tuple[Case, ...]:
    """Return all cases in the order of the contract."""
    from contract_tests.server import cases  # noqa: PLC0415  # slow to import: hypothesis

    return cases.CASES


def sort_for_run(cases: Iterable[Case], *, shares_key: bool = True) -> list[Case]:
    """Return the cases with the free ones first, so that they run before money is spent.

    Cases that exhaust a limit are last, because the account is unusable for a while after them. If
    each case has a key of its own, the slow ones are first: then no worker waits for them at the
    end.
    """
    if not shares_key:
        return sorted(cases, key=lambda case: not (case.exhausts or case.is_slow))
    return sorted(cases, key=lambda case: (case.exhausts, case.images, case.worst_images))


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_HasId)


def sort_by_contract(results: Iterable[R]) -> tuple[R, ...]:
    """Return results in the order of their cases in the contract; others stay as they are."""
    order = {case.id: number for number, case in enumerate(all_cases())}
    return tuple(sorted(results, key=lambda each: order.get(each.id, len(order))))


def unknown_patterns(
    cases: Sequence[Case], *, globs: Iterable[str], clauses: Iterable[str]
) -> Iterator[str]:
    """Yield the patterns and clauses that match no case; they are probably misspelt."""
    ids = [case.id for case in cases]
    cited = {clause for case in cases for clause in case.clauses}
    yield from (glob for glob in globs if not any(fnmatchcase(each, glob) for each in ids))
    yield from (clause for clause in clauses if clause not in cited)


def select_cases(
    cases: Iterable[Case],
    *,
    select: Globs = (),
    deselect: Globs = (),
    clauses: Sequence[str] = (),
    suite: str = "full",
) -> tuple[Case, ...]:
    """Return the cases that match.

    `select` also selects cases outside the suite, and so does `clauses`, without the deep cases.
    """

    def is_selected(case: Case) -> bool:
        if any(fnmatchcase(case.id, glob) for glob in deselect):
            return False
        if clauses and not set(clauses) & set(case.clauses):
            return False
        if select:
            return any(fnmatchcase(case.id, glob) for glob in select)
        if case.is_deep:
            return suite == "deep"
        return suite != "smoke" or case.is_smoke or bool(clauses)

    return tuple(case for case in cases if is_selected(case))
