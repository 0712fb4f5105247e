"""All cases, in the order of the contract."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from contract_tests.server.case import Case

Globs = Sequence[str]


def all_cases() -> tuple[Case, ...]:
    from contract_tests.server import cases  # noqa: PLC0415  # imports hypothesis, so it is slow

    return cases.CASES


def in_running_order(cases: Iterable[Case]) -> list[Case]:
    """Put free cases first, so that money is spent only once what costs nothing is known.

    Those that use up a limit come last: the account is of no use for a while after them.
    """
    return sorted(cases, key=lambda case: (case.exhausts, case.images, case.worst_images))


def unknown(
    cases: Sequence[Case], *, globs: Iterable[str], clauses: Iterable[str]
) -> Iterator[str]:
    """Yield what would choose nothing: most likely a slip of the pen."""
    ids = [case.id for case in cases]
    cited = {clause for case in cases for clause in case.clauses}
    yield from (glob for glob in globs if not any(fnmatchcase(each, glob) for each in ids))
    yield from (clause for clause in clauses if clause not in cited)


def selected(
    cases: Iterable[Case],
    *,
    select: Globs = (),
    deselect: Globs = (),
    clauses: Sequence[str] = (),
    profile: str = "full",
) -> tuple[Case, ...]:
    """Choose by globs over ids and by clauses; a case chosen by `select` need not be smoke."""

    def is_chosen(case: Case) -> bool:
        if any(fnmatchcase(case.id, glob) for glob in deselect):
            return False
        if clauses and not set(clauses) & set(case.clauses):
            return False
        if select:
            return any(fnmatchcase(case.id, glob) for glob in select)
        return profile == "full" or case.is_smoke or bool(clauses)

    return tuple(case for case in cases if is_chosen(case))
