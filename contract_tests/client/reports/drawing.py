"""Lays out the timeline of a case as a drawing: positions, shapes and texts of its marks."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final

import msgspec

from contract_tests.client.reports.timeline import Mark

LANES: Final[Mapping[str, str]] = {
    "submit": "submits",
    "status": "polls",
    "throttled": "429s",
    "callback": "callbacks",
    "result": "downloads",
    "balance": "balance",
    "task": "task ends",
}
"""The name of each lane by the kind of its marks, from top to bottom."""

# Lengths are in the units of the SVG view box.
_WIDTH: Final = 960
_NAMES_WIDTH: Final = 84  # The columns of the grid in audit.css have the same proportion.
_LEFT_MARGIN: Final = 96
_RIGHT_MARGIN: Final = 80
_TOP_MARGIN: Final = 6
_BOTTOM_MARGIN: Final = 20
_ROW_HEIGHT: Final = 16
_LANE_GAP: Final = 8
_MIN_DISTANCE: Final = 13  # Marks that are closer to each other go into different rows.
_MAX_ROWS: Final = 6  # rows in a lane
_LETTER_WIDTH: Final = 6.2
_MAX_TEXT: Final = 44  # letters
_MAX_TICKS: Final = 10
_MAX_END_LINES: Final = 8
_UNITS: Final = (  # Name, size in seconds, and the shortest time axis that uses it in seconds.
    ("d", 86_400.0, 432_000.0),
    ("h", 3600.0, 18_000.0),
    ("min", 60.0, 300.0),
    ("s", 1.0, 2.0),
    ("ms", 0.001, 0.0),
)


class Shape(StrEnum):
    """The shape of a mark as an SVG path; marks differ not only by colour."""

    GOOD = "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"
    BAD = "M-5-5H5V5H-5z"
    THROTTLED = "M0-6L6 5H-6z"
    END = "M0-7L7 0L0 7L-7 0z"


class Dot(msgspec.Struct, frozen=True, kw_only=True):
    """A mark with its position. `text` is written beside it; `rules` are those it violates."""

    x: float
    y: float
    mark: Mark
    shape: Shape
    text: str = ""
    rules: tuple[str, ...] = ()


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that a mark violates, written above all lanes, with a line down to the mark.

    `is_left` says that the text ends at the line instead of starting there.
    """

    x: float
    y: float
    to_y: float
    text: str
    is_left: bool


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """All marks of one kind; `y` is the middle of the lane."""

    name: str
    top: float
    y: float


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """All parts of a drawing; the names of the lanes have their own width, left of the marks.

    `ends` are the positions of vertical lines where tasks end.
    """

    width: int
    height: float
    names_width: int
    axis_y: float
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[str, float], ...]
    dots: tuple[Dot, ...]
    flags: tuple[Flag, ...]
    ends: tuple[float, ...]


def draw_timeline(timeline: Sequence[Mark], violated: Mapping[int, tuple[str, ...]]) -> Drawing:
    """Return a drawing with one lane per kind; `violated` holds the violated rules by event."""
    marks = sorted(timeline, key=lambda mark: mark.at_s)
    length_s = max((mark.at_s for mark in marks), default=0.0)
    length_s = length_s if length_s > 0 else 1.0

    def x(at_s: float) -> float:
        axis_length = _WIDTH - _LEFT_MARGIN - _RIGHT_MARGIN
        return round(_LEFT_MARGIN + axis_length * max(0.0, at_s) / length_s, 1)

    events = dict.fromkeys(mark.event for mark in marks if mark.event in violated)
    starts = {mark.event: x(mark.at_s) for mark in reversed(marks)}
    texts = [(starts[event], ", ".join(violated[event])) for event in events if event is not None]
    flag_rows, count = _flag_rows(texts)
    top = _TOP_MARGIN + count * _ROW_HEIGHT + (_LANE_GAP if count else 0)
    dots: list[Dot] = []
    lanes: list[Lane] = []
    for kind in _kinds(marks):
        of_kind = [mark for mark in marks if mark.kind == kind]
        rows = _rows([x(mark.at_s) for mark in of_kind])
        placed = [
            _dot(mark, x(mark.at_s), top + _ROW_HEIGHT * (row + 0.5), violated)
            for mark, row in zip(of_kind, rows, strict=True)
        ]
        dots += _add_texts(placed)
        height = _ROW_HEIGHT * (max(rows) + 1)
        lanes.append(Lane(name=LANES.get(kind, kind or "other"), top=top, y=top + height / 2))
        top += height + _LANE_GAP
    return Drawing(
        width=_WIDTH,
        height=top + _BOTTOM_MARGIN,
        names_width=_NAMES_WIDTH,
        axis_y=top,
        lanes=tuple(lanes),
        ticks=tuple((name, x(at_s)) for name, at_s in _ticks(length_s)),
        dots=tuple(dots),
        flags=tuple(_flags(flag_rows, dots)),
        ends=_end_lines(dots),
    )


def _kinds(marks: Iterable[Mark]) -> list[str]:
    found = {mark.kind for mark in marks}
    return [*(each for each in LANES if each in found), *sorted(found - LANES.keys())]


def _dot(mark: Mark, x: float, y: float, violated: Mapping[int, tuple[str, ...]]) -> Dot:
    shape = Shape.GOOD if mark.is_good else Shape.BAD
    if mark.kind in {"task", "throttled"}:
        shape = Shape.END if mark.kind == "task" else Shape.THROTTLED
    rules = () if mark.event is None else violated.get(mark.event, ())
    return Dot(x=x, y=y, mark=mark, shape=shape, rules=rules)


def _rows(xs: Sequence[float]) -> list[int]:
    """Return a row for each mark, so that marks in one row keep their distance.

    When all rows are occupied, a mark goes into the row whose last mark is farthest away.
    """
    last: list[float] = []
    rows = []
    for x in xs:
        free = next((row for row, end in enumerate(last) if end + _MIN_DISTANCE <= x), None)
        if free is None and len(last) < _MAX_ROWS:
            free = len(last)
            last.append(x)
        row = last.index(min(last)) if free is None else free
        last[row] = x
        rows.append(row)
    return rows


def _add_texts(dots: Sequence[Dot]) -> list[Dot]:
    """Give each mark the longest text that fits before the next mark in its row."""
    labelled = []
    for y in dict.fromkeys(dot.y for dot in dots):
        row = [dot for dot in dots if dot.y == y]
        for dot, following in pairwise([*row, None]):
            assert dot is not None
            until = _WIDTH if following is None else following.x - _MIN_DISTANCE
            room = int((until - dot.x - _MIN_DISTANCE) / _LETTER_WIDTH)
            text = next((each for each in _texts(dot.mark) if len(each) <= room), "")
            labelled.append(msgspec.structs.replace(dot, text=text))
    return sorted(labelled, key=lambda dot: dot.x)


def _texts(mark: Mark) -> Iterable[str]:
    """Yield the texts for a mark, the longest first."""
    text = mark.label.rpartition(" ends: ")[2].removeprefix(f"{mark.kind} ")
    yield text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
    yield text.partition(" (")[0]
    yield text.partition(" ")[0]


def _flag_rows(
    texts: Iterable[tuple[float, str]],
) -> tuple[list[tuple[float, str, bool, int]], int]:
    """Return flags with a row for each, and the number of rows; flags do not overlap."""
    spans = []
    for x, text in texts:
        width = len(text) * _LETTER_WIDTH + _MIN_DISTANCE
        is_left = x + width > _WIDTH
        spans.append((x - width if is_left else x, x if is_left else x + width, x, text, is_left))
    ends: list[float] = []
    found = []
    for start, end, x, text, is_left in sorted(spans):
        row = next((row for row, until in enumerate(ends) if until <= start), len(ends))
        ends[row : row + 1] = [end]
        found.append((x, text, is_left, row))
    return found, len(ends)


def _flags(rows: Iterable[tuple[float, str, bool, int]], dots: Sequence[Dot]) -> Iterable[Flag]:
    for x, text, is_left, row in rows:
        to_y = max(dot.y for dot in dots if dot.x == x and ", ".join(dot.rules) == text)
        yield Flag(
            x=x, y=_TOP_MARGIN + _ROW_HEIGHT * (row + 0.5), to_y=to_y, text=text, is_left=is_left
        )


def _end_lines(dots: Iterable[Dot]) -> tuple[float, ...]:
    found = tuple(dot.x for dot in dots if dot.shape is Shape.END)
    return found if len(found) <= _MAX_END_LINES else ()


def _ticks(length_s: float) -> Iterable[tuple[str, float]]:
    """Yield labels and instants in seconds that divide the axis into round steps."""
    unit, unit_s = next((name, size) for name, size, least in _UNITS if length_s >= least)
    length = length_s / unit_s
    step = next(each for each in _round_steps() if length / each <= _MAX_TICKS)
    for number in range(int(length / step) + 1):
        yield f"{number * step:g} {unit}", number * step * unit_s


def _round_steps() -> Iterable[float]:
    """Yield 1, 2, 5, 10, 20, 50 and so on."""
    power = 1.0
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10
