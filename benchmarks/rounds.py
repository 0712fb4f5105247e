"""Repeat a measurement until the medians of its figures are known well enough.

A round measures all servers of a comparison once, one after the other. A ratio is always of two
values of the same round, so a machine that becomes slower for a minute slows both.
"""

import math
import statistics
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import TypeVar

import msgspec

CONFIDENCE = 0.95

T = TypeVar("T")
Rounds = Generator[Mapping[str, float], None, None]


class RoundLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest and the largest number of rounds."""

    least: int
    most: int

    def __str__(self) -> str:
        if self.least < self.most:
            return f"{self.least} to {self.most} rounds"
        return "1 round" if self.most == 1 else f"{self.most} rounds"


def median_interval(values: list[float]) -> tuple[float, float] | None:
    """Return the interval that contains the true median with a confidence of 95 %.

    It lies between two of the sorted values and assumes nothing about their distribution: a value
    is below the median with a probability of one half. Return None for fewer than six values, which
    are too few.
    """
    count = len(values)
    outside, trim = 0.0, 0
    while True:
        outside += 2 * math.comb(count, trim) / 2**count
        if outside > 1 - CONFIDENCE:
            break
        trim += 1
    if trim == 0:
        return None
    ordered = sorted(values)
    return ordered[trim - 1], ordered[count - trim]


def is_settled(values: list[float], tolerance: float) -> bool:
    """Return whether the interval of the median is at most `tolerance` of the median wide."""
    interval = median_interval(values)
    if interval is None:
        return False
    low, high = interval
    return high - low <= tolerance * abs(statistics.median(values))


def run_rounds(
    rounds: Rounds,
    limits: RoundLimits,
    tolerances: Mapping[str, float],
    report: Callable[[Mapping[str, float]], None],
) -> dict[str, list[float]]:
    """Return the values of each figure. Close `rounds` after the last one.

    Rounds end when every figure in `tolerances` is settled, and within the limits.
    """
    values: dict[str, list[float]] = {}
    with closing(rounds):
        for number, measured in enumerate(rounds, 1):
            for name, value in measured.items():
                values.setdefault(name, []).append(value)
            report(measured)
            settled = all(is_settled(values[name], each) for name, each in tolerances.items())
            if number >= limits.most or (number >= limits.least and settled):
                break
    return values


def alternating(measures: Mapping[str, Callable[[], T]]) -> Iterator[dict[str, T]]:
    """Yield what the functions return, round by round; every other round in the opposite order."""
    order = list(measures)
    while True:
        yield {name: measures[name]() for name in order}
        order.reverse()
