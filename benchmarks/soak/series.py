"""Judge whether a series of samples is flat."""

import statistics
from collections.abc import Sequence

import msgspec


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """What a server used at one instant of the load."""

    at_s: float
    memory_bytes: int
    descriptors: int


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """The second half of a series."""

    plateau: float  # The mean.
    growth: float  # From the first to the last sample along a fitted line, as a share of the mean.


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """Return the trend of the second half of a series of instants and values.

    The line is fitted by least squares, so single outliers count little.
    """
    middle_s = (points[0][0] + points[-1][0]) / 2
    half = [point for point in points if point[0] >= middle_s]
    plateau = statistics.fmean(value for _, value in half)
    if len(half) < 2 or plateau == 0:
        return Trend(plateau=plateau, growth=0.0)
    slope = statistics.linear_regression(*zip(*half, strict=True)).slope
    return Trend(plateau=plateau, growth=slope * (half[-1][0] - half[0][0]) / plateau)
