"""Findings of a case, and the verdicts that follow from them."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from contract_tests.contract.register import Clause


class Verdict(StrEnum):
    """Ordered from worst to best; the worst of several counts."""

    FAIL = "FAIL"
    ERROR = "ERROR"
    INCONCLUSIVE = "INCONCLUSIVE"
    WARN = "WARN"
    PASS = "PASS"  # noqa: S105  # This is not a password.
    SKIP = "SKIP"


_ORDER = tuple(Verdict)


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """The shortest sequence of requests that showed a violation, in two forms."""

    curl: str
    pytest: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One observation about one clause; `event` is the number of the event that shows it.

    `is_choice` says that this project chose what is expected, although pages state the clause.
    """

    clause: str
    holds: bool
    expected: str
    seen: str
    event: int | None = None
    is_choice: bool = False
    reproduction: Reproduction | None = None


def severity(verdict: Verdict) -> int:
    """Return the position of a verdict in the order from worst to best."""
    return _ORDER.index(verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict, or SKIP if there is none."""
    return min(verdicts, key=severity, default=Verdict.SKIP)


def verdict_of(finding: Finding, clause: Clause, *, is_live: bool, has_control: bool) -> Verdict:
    """Return the verdict on a finding.

    The mock must keep every clause, including this project's own choices; only it has a control
    plane. Where pages disagree or are silent, another server gets a warning. For a live service,
    only firm promises of the provider can fail; all other violations are warnings.
    """
    if finding.holds:
        return Verdict.PASS
    is_documented = clause.certainty in {"seed", "docs"} and not finding.is_choice
    if not is_documented and not has_control:
        return Verdict.WARN
    is_firm = clause.level == "MUST" and is_documented
    return Verdict.WARN if is_live and not is_firm else Verdict.FAIL
