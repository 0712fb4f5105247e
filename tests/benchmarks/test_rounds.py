"""Rounds end when the medians are stable, and within their limits."""

import random
import statistics
from collections.abc import Mapping
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rounds import (
    RoundLimits,
    Rounds,
    alternating,
    is_settled,
    median_interval,
    run_rounds,
)

VALUES = st.lists(st.floats(0.1, 1_000), min_size=6, max_size=40)
LIMITS = RoundLimits(least=6, most=9)


class Source:
    """Rounds with the given values of the figure `speed`; repeats the last one."""

    def __init__(self, *values: float) -> None:
        self._values = list(values)
        self.is_closed = False

    def rounds(self) -> Rounds:
        try:
            while True:
                yield {"speed": self._values[0]}
                if len(self._values) > 1:
                    del self._values[0]
        finally:
            self.is_closed = True


def ignored(_: Mapping[str, float]) -> None:
    """Report no round."""


@pytest.mark.parametrize("count", range(6))
def test_fewer_than_six_values_give_no_interval(count: int) -> None:
    assert median_interval([1.0] * count) is None
    assert not is_settled([1.0] * count, 1.0)


# The positions are those in tables of confidence intervals of the median (binomial, 95 %).
@pytest.mark.parametrize(
    ("count", "low", "high"), [(6, 1, 6), (8, 1, 8), (9, 2, 8), (12, 3, 10), (20, 6, 15)]
)
def test_interval_lies_between_the_values_of_the_table(count: int, low: int, high: int) -> None:
    values = [float(each) for each in range(1, count + 1)]
    random.Random(1).shuffle(values)

    assert median_interval(values) == (low, high)


@given(VALUES)
def test_interval_contains_the_median_and_lies_within_the_values(values: list[float]) -> None:
    interval = median_interval(values)

    assert interval is not None
    low, high = interval
    assert min(values) <= low <= statistics.median(values) <= high <= max(values)


@given(VALUES, st.floats(0, 2))
def test_stable_median_is_stable_with_a_wider_tolerance(
    values: list[float], tolerance: float
) -> None:
    assert is_settled(values, tolerance) <= is_settled(values, tolerance + 0.1)


def test_interval_contains_the_true_median_as_often_as_promised() -> None:
    source = random.Random(1)
    intervals = [
        median_interval([source.lognormvariate(0, 1) for _ in range(9)]) for _ in range(2_000)
    ]

    hits = sum(low <= 1 <= high for low, high in filter(None, intervals))
    assert hits / len(intervals) >= 0.95


def test_equal_values_end_the_rounds_at_the_least_number() -> None:
    limits = RoundLimits(least=8, most=9)

    found = run_rounds(Source(2.0).rounds(), limits, {"speed": 0.05}, ignored)

    assert found == {"speed": [2.0] * 8}


def test_unstable_values_end_the_rounds_at_the_largest_number() -> None:
    values = [1.0, 2.0] * 5

    found = run_rounds(Source(*values).rounds(), LIMITS, {"speed": 0.05}, ignored)

    assert found["speed"] == values[: LIMITS.most]


def test_rounds_end_as_soon_as_the_median_is_stable() -> None:
    outlier = 9.0  # The interval of eight values contains the largest, that of nine does not.

    found = run_rounds(Source(outlier, 2.0).rounds(), LIMITS, {"speed": 0.05}, ignored)
    assert len(found["speed"]) == 9

    wide = RoundLimits(least=6, most=20)
    found = run_rounds(Source(outlier, 2.0).rounds(), wide, {"speed": 0.05}, ignored)
    assert len(found["speed"]) == 9


def test_rounds_are_closed_after_the_last_one() -> None:
    source = Source(2.0)
    rounds = source.rounds()  # The name keeps it alive, so nothing but `run_rounds` closes it.

    run_rounds(rounds, LIMITS, {}, ignored)

    assert source.is_closed


def test_rounds_are_closed_if_a_measurement_fails() -> None:
    source = Source(1.0)
    rounds = source.rounds()

    def failing(_: Mapping[str, float]) -> None:
        raise RuntimeError("failed")

    with pytest.raises(RuntimeError):
        run_rounds(rounds, LIMITS, {}, failing)

    assert source.is_closed


def test_every_other_round_has_the_opposite_order() -> None:
    asked: list[str] = []
    rounds = alternating({name: partial(asked.append, name) for name in "abc"})

    for _ in range(3):
        next(rounds)

    assert "".join(asked) == "abccbaabc"
