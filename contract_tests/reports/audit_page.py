"""The report of audits for people: one HTML file that needs no network."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from contract_tests.audit.report import AuditedCase, AuditReport
from contract_tests.audit.story import Mark
from contract_tests.reports.audit_markdown import matrix
from contract_tests.verdicts import Verdict

_LANES: Final = ("submit", "status", "throttled", "callback", "result", "balance", "task")
_LEFT: Final = 90
_WIDTH: Final = 900
_LANE_HEIGHT: Final = 22
_STEPS_S: Final = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 86_400, 864_000)
_MOST_TICKS: Final = 10


class Dot(msgspec.Struct, frozen=True):
    x: float
    y: float
    mark: Mark


class Drawing(msgspec.Struct, frozen=True):
    """A timeline in pixels: lanes with their y, ticks with their x, and a dot a mark."""

    width: int
    height: int
    lanes: list[tuple[str, float]]
    ticks: list[tuple[str, float]]
    dots: list[Dot]


def html(reports: Sequence[AuditReport]) -> str:
    environment = Environment(
        loader=PackageLoader("contract_tests.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counts = Counter(case.verdict for report in reports for case in report.cases)
    return environment.get_template("audit.html").render(
        reports=reports,
        matrix=list(matrix(reports)) if len(reports) > 1 else [],
        drawing_of=drawing_of,
        verdicts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
    )


def drawing_of(case: AuditedCase) -> Drawing:
    """Lay the marks of a case out on a time axis, a lane a kind."""
    kinds = [lane for lane in _LANES if any(mark.kind == lane for mark in case.timeline)]
    whole_s = max((mark.at_s for mark in case.timeline), default=0.0) or 1.0
    lanes = {kind: _LANE_HEIGHT * (number + 0.7) for number, kind in enumerate(kinds)}

    def x(at_s: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - 20) * max(0.0, at_s) / whole_s, 1)

    step_s = next((each for each in _STEPS_S if whole_s / each <= _MOST_TICKS), whole_s)
    ticks = [(f"{n * step_s:g} s", x(n * step_s)) for n in range(int(whole_s / step_s) + 1)]
    return Drawing(
        width=_WIDTH,
        height=int(_LANE_HEIGHT * (len(kinds) + 1.2)),
        lanes=list(lanes.items()),
        ticks=ticks,
        dots=[Dot(x(mark.at_s), lanes[mark.kind], mark) for mark in case.timeline],
    )
