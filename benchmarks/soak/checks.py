"""The checks of a soak test, and the verdict of each."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from benchmarks.soak.problems import Problems
from benchmarks.soak.series import Sample, trend

MAX_GROWTH = 0.05  # Of the plateau, over the second half.
LEAST_JUDGED_S = 120  # In a shorter time, caches still fill, and a slope means nothing.
_MIB = 1024 * 1024


class Verdict(StrEnum):
    PASS = "PASS"
    FAIL = "FAIL"
    NOT_JUDGED = "NOT JUDGED"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, the verdict, and the reason for it."""

    name: str
    verdict: Verdict
    detail: str
    problems: list[str] = []


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the server had reached in the middle of the load. Memory is flat only after that."""

    trimmed_entries: int  # Of journals, because of `--journal-memory`.
    submitted: int
    max_tasks: int

    @property
    def missing(self) -> str:
        """The limits that were not reached; empty if all were."""
        missing = []
        if not self.trimmed_entries:
            missing.append("--journal-memory")
        if self.submitted <= self.max_tasks:
            missing.append("--max-tasks")
        return " and ".join(missing)


def memory_check(samples: Sequence[Sample], limits: Limits) -> Check:
    """Judge whether the memory is flat. It is only after the server has reached its limits."""
    found = trend([(each.at_s, each.memory_bytes) for each in samples])
    detail = (
        f"{found.plateau / _MIB:.1f} MiB, {found.growth:+.1%} in the second half"
        f" (at most {MAX_GROWTH:+.0%})"
    )
    if samples[-1].at_s - samples[0].at_s < LEAST_JUDGED_S:
        verdict = Verdict.NOT_JUDGED
        detail += f"; only a load of at least {LEAST_JUDGED_S} s is judged"
    elif limits.missing:
        verdict = Verdict.FAIL
        detail += (
            f"; the server did not reach {limits.missing} in the first half, so its growth"
            " says nothing; increase --minutes or --rate"
        )
    else:
        verdict = Verdict.PASS if found.growth <= MAX_GROWTH else Verdict.FAIL
    return Check(name="memory", verdict=verdict, detail=detail)


def descriptor_check(
    samples: Sequence[Sample], before: int, after: int, *, pooled: int = 0
) -> Check:
    """Judge whether all descriptors of the load are closed, except those of a pool."""
    most = max(each.descriptors for each in samples)
    more = f", at most {most} during it"
    if pooled:
        more += f"; the store may keep {pooled} connections"
    return _left_check("descriptors", before, after, more, allowed=pooled)


def held_check(before: int, after: int) -> Check:
    """Judge whether all asyncio tasks of the load have ended."""
    return _left_check("asyncio tasks", before, after)


def problem_check(name: str, problems: Problems, detail: str) -> Check:
    """Judge whether there is no problem."""
    return Check(
        name=name,
        verdict=Verdict.FAIL if len(problems) else Verdict.PASS,
        detail=f"{detail}; {len(problems)} problems" if len(problems) else detail,
        problems=problems.lines(),
    )


def _left_check(name: str, before: int, after: int, more: str = "", *, allowed: int = 0) -> Check:
    return Check(
        name=name,
        verdict=Verdict.FAIL if after > before + allowed else Verdict.PASS,
        detail=f"{before} before the load, {after} after it{more}",
    )
