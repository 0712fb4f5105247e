"""The timeline of a case as a drawing: where each mark stands, and what is written beside it."""

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
_WIDTH: Final = 960
_LEFT: Final = 96
_RIGHT: Final = 80
_TOP: Final = 6
_ROW: Final = 16
_LANE_GAP: Final = 8
_APART: Final = 13  # marks that are nearer than this go into different rows …
_MOST_ROWS: Final = 6  # … as long as there are some
_SIGN: Final = 6.2  # the width of a letter, more or less
_LONGEST: Final = 44  # letters
_MOST_TICKS: Final = 10
_MOST_ENDS: Final = 8  # lines through all lanes
_UNITS: Final = (  # name, seconds, and how long the whole must be at least
    ("d", 86_400.0, 432_000.0),
    ("h", 3600.0, 18_000.0),
    ("min", 60.0, 300.0),
    ("s", 1.0, 2.0),
    ("ms", 0.001, 0.0),
)


class Shape(StrEnum):
    """What a mark looks like, so that colour is not needed; the value is a path."""

    GOOD = "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"
    BAD = "M-5-5H5V5H-5z"
    THROTTLED = "M0-6L6 5H-6z"
    END = "M0-7L7 0L0 7L-7 0z"


class Dot(msgspec.Struct, frozen=True, kw_only=True):
    """A mark in its place. `text` is what is written beside it, `rules` those that it breaks."""

    x: float
    y: float
    mark: Mark
    shape: Shape
    text: str = ""
    rules: tuple[str, ...] = ()


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that a mark breaks, written above all lanes, with a line down to the mark."""

    x: float
    y: float
    to_y: float
    text: str
    is_left: bool


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    top: float
    y: float


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    width: int
    height: float
    left: int
    axis_y: float
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[str, float], ...]
    dots: tuple[Dot, ...]
    flags: tuple[Flag, ...]
    ends: tuple[float, ...]


def drawing_of(timeline: Sequence[Mark], broken: Mapping[int, tuple[str, ...]]) -> Drawing:
    """Lay marks out on a time axis, a lane a kind. `broken`: the rules that an event breaks."""
    marks = sorted(timeline, key=lambda mark: mark.at_s)
    whole_s = max((mark.at_s for mark in marks), default=0.0)
    whole_s = whole_s if whole_s > 0 else 1.0

    def x(at_s: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * max(0.0, at_s) / whole_s, 1)

    told = dict.fromkeys(mark.event for mark in marks if mark.event in broken)
    starts = {mark.event: x(mark.at_s) for mark in reversed(marks)}
    words = [(starts[event], ", ".join(broken[event])) for event in told if event is not None]
    flag_rows, count = _flag_rows(words)
    top = _TOP + count * _ROW + (_LANE_GAP if count else 0)
    dots: list[Dot] = []
    lanes: list[Lane] = []
    for kind in _kinds(marks):
        of_kind = [mark for mark in marks if mark.kind == kind]
        rows = _rows([x(mark.at_s) for mark in of_kind])
        placed = [
            _dot(mark, x(mark.at_s), top + _ROW * (row + 0.5), broken)
            for mark, row in zip(of_kind, rows, strict=True)
        ]
        dots += _with_texts(placed)
        height = _ROW * (max(rows) + 1)
        lanes.append(Lane(name=LANES.get(kind, kind or "other"), top=top, y=top + height / 2))
        top += height + _LANE_GAP
    return Drawing(
        width=_WIDTH,
        height=top + 20,
        left=_LEFT,
        axis_y=top,
        lanes=tuple(lanes),
        ticks=tuple((name, x(at_s)) for name, at_s in _ticks(whole_s)),
        dots=tuple(dots),
        flags=tuple(_flags(flag_rows, dots)),
        ends=_ends(dots),
    )


def _kinds(marks: Iterable[Mark]) -> list[str]:
    found = {mark.kind for mark in marks}
    return [*(each for each in LANES if each in found), *sorted(found - LANES.keys())]


def _dot(mark: Mark, x: float, y: float, broken: Mapping[int, tuple[str, ...]]) -> Dot:
    shape = Shape.GOOD if mark.is_good else Shape.BAD
    if mark.kind in {"task", "throttled"}:
        shape = Shape.END if mark.kind == "task" else Shape.THROTTLED
    rules = () if mark.event is None else broken.get(mark.event, ())
    return Dot(x=x, y=y, mark=mark, shape=shape, rules=rules)


def _rows(xs: Sequence[float]) -> list[int]:
    """Put marks that coincide under one another; when all rows are full, over the farthest."""
    last: list[float] = []
    rows = []
    for x in xs:
        free = next((row for row, end in enumerate(last) if end + _APART <= x), None)
        if free is None and len(last) < _MOST_ROWS:
            free = len(last)
            last.append(x)
        row = last.index(min(last)) if free is None else free
        last[row] = x
        rows.append(row)
    return rows


def _with_texts(dots: Sequence[Dot]) -> list[Dot]:
    """Write beside a mark what there is room for before the next one in its row."""
    told = []
    for y in dict.fromkeys(dot.y for dot in dots):
        row = [dot for dot in dots if dot.y == y]
        for dot, following in pairwise([*row, None]):
            assert dot is not None
            until = _WIDTH if following is None else following.x - _APART
            room = int((until - dot.x - _APART) / _SIGN)
            text = next((each for each in _texts(dot.mark) if len(each) <= room), "")
            told.append(msgspec.structs.replace(dot, text=text))
    return sorted(told, key=lambda dot: dot.x)


def _texts(mark: Mark) -> Iterable[str]:
    """Yield what a mark is called, the longest first."""
    text = mark.label.rpartition(" ends: ")[2].removeprefix(f"{mark.kind} ")
    yield text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    yield text.partition(" (")[0]
    yield text.partition(" ")[0]


def _flag_rows(
    words: Iterable[tuple[float, str]],
) -> tuple[list[tuple[float, str, bool, int]], int]:
    """Return flags with the row of each, and how many rows there are; no two cover each other."""
    spans = []
    for x, text in words:
        width = len(text) * _SIGN + _APART
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
        yield Flag(x=x, y=_TOP + _ROW * (row + 0.5), to_y=to_y, text=text, is_left=is_left)


def _ends(dots: Iterable[Dot]) -> tuple[float, ...]:
    found = tuple(dot.x for dot in dots if dot.shape is Shape.END)
    return found if len(found) <= _MOST_ENDS else ()


def _ticks(whole_s: float) -> Iterable[tuple[str, float]]:
    """Yield names and instants that are easy to read, from nought on."""
    unit, unit_s = next((name, size) for name, size, least in _UNITS if whole_s >= least)
    whole = whole_s / unit_s
    step = next(factor for factor in _factors() if whole / factor <= _MOST_TICKS)
    for number in range(int(whole / step) + 1):
        yield f"{number * step:g} {unit}", number * step * unit_s


def _factors() -> Iterable[float]:
    """Yield 1, 2, 5, 10, 20, 50 and so on."""
    power = 1.0
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10
