"""The report of a soak test: text for the terminal, JSON for the file."""

from collections.abc import Mapping

import msgspec

from benchmarks.soak.checks import Check, Verdict
from benchmarks.soak.series import Sample


class SoakReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a soak test did and found."""

    version: int = 1
    date: str
    commit: str | None
    command: list[str]  # Of the server.
    minutes: float
    keys: int
    seed: int
    requests: Mapping[str, int]  # By kind.
    statuses: Mapping[int, int]
    callbacks: Mapping[str, int]  # Deliveries that have ended, by kind.
    checks: list[Check]
    samples: list[Sample]

    @property
    def exit_status(self) -> int:
        return 1 if any(check.verdict is Verdict.FAIL for check in self.checks) else 0


def report_text(report: SoakReport) -> str:
    """Return a line for each check, with its problems below it."""
    name_width = max(len(check.name) for check in report.checks)
    verdict_width = max(len(check.verdict) for check in report.checks)
    lines = []
    for check in report.checks:
        lines.append(f"{check.verdict:{verdict_width}}  {check.name:{name_width}}  {check.detail}")
        lines.extend(f"  {line}" for line in check.problems)
    return "\n".join(lines)
