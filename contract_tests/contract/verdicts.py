"""What a case has found, and what follows from it."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from contract_tests.contract.register import Clause


class Verdict(StrEnum):
    """The better the higher; the worst of several counts."""

    FAIL = "FAIL"
    ERROR = "ERROR"
    INCONCLUSIVE = "INCONCLUSIVE"
    WARN = "WARN"
    PASS = "PASS"  # noqa: S105  # no password
    SKIP = "SKIP"


_ORDER = tuple(Verdict)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one clause. `event` is the number of the event of the case that shows it."""

    clause: str
    holds: bool
    expected: str
    seen: str
    event: int | None = None


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return SKIP for none: nothing was looked at."""
    return min(verdicts, key=_ORDER.index, default=Verdict.SKIP)


def verdict_of(finding: Finding, clause: Clause, *, is_live: bool) -> Verdict:
    """Judge a finding; the mock must keep every clause, its own choices too.

    A live service can only be reminded of what it has not promised firmly.
    """
    if finding.holds:
        return Verdict.PASS
    is_firm = clause.level == "MUST" and clause.certainty in {"seed", "docs"}
    return Verdict.WARN if is_live and not is_firm else Verdict.FAIL
