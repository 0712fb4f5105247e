"""The figures that `make bench` measures, and the values that some of them must reach."""

import statistics
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from benchmarks.stalls.cases import CASES


class Unit(StrEnum):
    RATIO = "ratio"
    BYTES = "B"
    MEBIBYTES = "MiB"
    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "µs"
    PER_SECOND = "/s"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number with a name; `target` and `goal` are limits of its median."""

    name: str
    title: str
    unit: Unit
    target: float | None = None
    goal: float | None = None
    is_high_good: bool = False
    tolerance: float = 0.05  # The width of the median's interval at which rounds may end.

    def reaches(self, value: float, limit: float) -> bool:
        return value >= limit if self.is_high_good else value <= limit

    def limit_text(self, limit: float | None) -> str:
        """Return a limit with its direction, such as "≥ 0.9"; "-" for none."""
        if limit is None:
            return "-"
        return f"{'≥' if self.is_high_good else '≤'} {self.number_text(limit)}"

    def number_text(self, value: float) -> str:
        """Return a value with its unit, rounded to the digits that matter."""
        match self.unit:
            case Unit.RATIO:
                return f"{value:.2f}"
            case Unit.SECONDS | Unit.MILLISECONDS:
                return f"{value:.2f} {self.unit}"
            case Unit.MICROSECONDS if value < 100:
                return f"{value:.1f} {self.unit}"
            case _:
                return f"{value:,.0f} {self.unit}"


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """The values of some rounds and their summary."""

    min: float
    median: float
    max: float
    values: list[float]


def spread(values: Sequence[float]) -> Spread:
    return Spread(
        min=min(values), median=statistics.median(values), max=max(values), values=list(values)
    )


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured for a figure."""

    title: str
    unit: Unit
    is_settled: bool  # False if the rounds ended before the median was known well enough.
    rounds: Spread


FIGURES = {
    figure.name: figure
    for figure in (
        Figure(
            name="status_rate_ratio",
            title="status requests per second / bare callable",
            unit=Unit.RATIO,
            target=1.0,
            goal=1.25,
            is_high_good=True,
        ),
        Figure(
            name="submit_rate_ratio",
            title="submits per second / bare callable that decodes the body",
            unit=Unit.RATIO,
            target=0.9,
            goal=1.1,
            is_high_good=True,
        ),
        Figure(
            name="status_p99_ratio",
            title="p99 of status requests / bare callable",
            unit=Unit.RATIO,
            target=1.2,
            goal=1.0,
            tolerance=0.1,
        ),
        Figure(
            name="task_bytes",
            title="memory per live task, 1,000,000 of them",
            unit=Unit.BYTES,
            target=600,
            goal=500,
        ),
        Figure(
            name="million_p99_ratio",
            title="p99 of status requests, 1,000,000 live tasks / 1,000",
            unit=Unit.RATIO,
            target=1.1,
            goal=1.0,
            tolerance=0.1,
        ),
        Figure(
            name="start_ratio",
            title="cold start to the first response / bare callable",
            unit=Unit.RATIO,
            target=1.3,
        ),
        Figure(
            name="start_s",
            title="cold start to the first response",
            unit=Unit.SECONDS,
            target=0.45,
        ),
        Figure(
            name="advance_ms",
            title="`advance` by 15 days, 100,000 live tasks",
            unit=Unit.MILLISECONDS,
            target=5.0,
            tolerance=0.2,
        ),
        Figure(
            name="callbacks_per_s",
            title="callbacks, 10,000 due at once",
            unit=Unit.PER_SECOND,
            target=1500,
            goal=3000,
            is_high_good=True,
            tolerance=0.2,
        ),
        Figure(
            name="callbacks_p99_ms",
            title="p99 of status requests of another key during these callbacks",
            unit=Unit.MILLISECONDS,
            target=20.0,
            goal=10.0,
            tolerance=0.2,
        ),
        Figure(
            name="rules_rate_ratio",
            title="status requests per second with 100 rules, none matching / bare callable",
            unit=Unit.RATIO,
            target=0.7,
            is_high_good=True,
        ),
        Figure(
            name="sqlite_status_ratio",
            title="status requests per second, store sqlite / memory",
            unit=Unit.RATIO,
            target=0.5,
            is_high_good=True,
        ),
        Figure(
            name="sqlite_submit_ratio",
            title="submits per second, store sqlite / memory",
            unit=Unit.RATIO,
            target=0.4,
            is_high_good=True,
        ),
        Figure(
            name="longest_stall_ms",
            title="longest stall of the event loop in all cases",
            unit=Unit.MILLISECONDS,
            target=20.0,
            goal=10.0,
        ),
        Figure(name="status_per_s", title="status requests", unit=Unit.PER_SECOND),
        Figure(name="bare_status_per_s", title="bare callable", unit=Unit.PER_SECOND),
        Figure(name="rules_per_s", title="status requests, 100 rules", unit=Unit.PER_SECOND),
        Figure(name="submit_per_s", title="submits", unit=Unit.PER_SECOND),
        Figure(
            name="bare_submit_per_s",
            title="bare callable that decodes the body",
            unit=Unit.PER_SECOND,
        ),
        Figure(
            name="sqlite_status_per_s",
            title="status requests, store sqlite",
            unit=Unit.PER_SECOND,
        ),
        Figure(name="sqlite_submit_per_s", title="submits, store sqlite", unit=Unit.PER_SECOND),
        Figure(
            name="sqlite_status_p99_us",
            title="p99 of status requests, store sqlite",
            unit=Unit.MICROSECONDS,
        ),
        Figure(name="status_p99_us", title="p99 of status requests", unit=Unit.MICROSECONDS),
        Figure(name="bare_p99_us", title="p99 of the bare callable", unit=Unit.MICROSECONDS),
        *(
            Figure(
                name=name, title=f"share of the time that the server ran, {title}", unit=Unit.RATIO
            )
            for name, title in (
                ("status_core_share", "status requests"),
                ("bare_status_core_share", "bare callable"),
                ("submit_core_share", "submits"),
                ("bare_submit_core_share", "bare callable that decodes the body"),
            )
        ),
        *(
            Figure(name=name, title=f"CPU time per {title}", unit=Unit.MICROSECONDS)
            for name, title in (
                ("status_cpu_us", "status request"),
                ("rules_cpu_us", "status request, 100 rules"),
                ("sqlite_status_cpu_us", "status request, store sqlite"),
                ("sqlite_submit_cpu_us", "submit, store sqlite"),
                ("bare_status_cpu_us", "request, bare callable"),
                ("submit_cpu_us", "submit"),
                ("bare_submit_cpu_us", "submit, bare callable"),
            )
        ),
        Figure(name="million_p99_us", title="p99, 1,000,000 live tasks", unit=Unit.MICROSECONDS),
        Figure(name="thousand_p99_us", title="p99, 1,000 live tasks", unit=Unit.MICROSECONDS),
        Figure(name="process_mib", title="process with 1,000,000 live tasks", unit=Unit.MEBIBYTES),
        Figure(
            name="after_advance_ms",
            title="first status request after that `advance`",
            unit=Unit.MILLISECONDS,
        ),
        Figure(
            name="callbacks_longest_ms",
            title="longest of these status requests",
            unit=Unit.MILLISECONDS,
        ),
        Figure(name="callbacks_cpu_us", title="CPU time per callback", unit=Unit.MICROSECONDS),
        *(
            Figure(name=f"stall_{case.name}_ms", title=case.title, unit=Unit.MILLISECONDS)
            for case in CASES
        ),
        Figure(name="bare_start_s", title="cold start, bare callable", unit=Unit.SECONDS),
    )
}
