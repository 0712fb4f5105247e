"""A check fails exactly if something grows, is left or goes wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.soak.checks import (
    LEAST_JUDGED_S,
    MAX_GROWTH,
    Limits,
    Verdict,
    descriptor_check,
    held_check,
    memory_check,
    problem_check,
)
from benchmarks.soak.problems import Problems
from benchmarks.soak.series import Sample, trend
from benchmarks.soak.server_log import log_problems

MIB = 1024 * 1024
REACHED = Limits(trimmed_entries=1, submitted=101, max_tasks=100)


def samples(*, growth: float, duration_s: float = 600, noise: float = 0) -> list[Sample]:
    """Return samples that rise steeply in the first half, and by a share in the second."""
    values = [50 + 50 * at / 100 for at in range(100)]
    values += [100 * (1 + growth * at / 100) for at in range(101)]
    return [
        Sample(number * duration_s / 200, int(value * MIB * (1 + noise * (-1) ** number)), 20)
        for number, value in enumerate(values)
    ]


@given(st.floats(-0.5, 0.5), st.floats(0, 0.2))
def test_growth_is_that_of_the_second_half(growth: float, noise: float) -> None:
    points = [(each.at_s, each.memory_bytes) for each in samples(growth=growth, noise=noise)]

    found = trend(points)

    assert found.growth * found.plateau == pytest.approx(growth * 100 * MIB, abs=2 * MIB)


@pytest.mark.parametrize(
    ("growth", "verdict"),
    [(-0.3, Verdict.PASS), (0.0, Verdict.PASS), (0.04, Verdict.PASS), (0.06, Verdict.FAIL)],
)
def test_memory_may_grow_by_a_twentieth(growth: float, verdict: Verdict) -> None:
    assert MAX_GROWTH == 1 / 20
    assert memory_check(samples(growth=growth), REACHED).verdict is verdict


@pytest.mark.parametrize(
    ("limits", "missing"),
    [
        (Limits(trimmed_entries=0, submitted=101, max_tasks=100), "--journal-memory"),
        (Limits(trimmed_entries=1, submitted=100, max_tasks=100), "--max-tasks"),
    ],
)
def test_memory_fails_if_a_limit_was_not_reached(limits: Limits, missing: str) -> None:
    check = memory_check(samples(growth=0), limits)

    assert check.verdict is Verdict.FAIL
    assert f"did not reach {missing} in the first half" in check.detail


def test_memory_of_a_short_load_is_not_judged() -> None:
    short = samples(growth=0.5, duration_s=LEAST_JUDGED_S - 1)

    assert memory_check(short, REACHED).verdict is Verdict.NOT_JUDGED


@given(st.integers(0, 50), st.integers(0, 50))
def test_more_descriptors_or_tasks_than_before_the_load_fail(before: int, after: int) -> None:
    verdict = Verdict.FAIL if after > before else Verdict.PASS

    assert descriptor_check(samples(growth=0), before, after).verdict is verdict
    assert held_check(before, after).verdict is verdict


def test_the_pool_of_a_store_may_stay_open() -> None:
    assert descriptor_check(samples(growth=0), 10, 18, pooled=8).verdict is Verdict.PASS
    assert descriptor_check(samples(growth=0), 10, 19, pooled=8).verdict is Verdict.FAIL


def test_problems_are_counted_and_their_first_examples_shown() -> None:
    problems = Problems()
    for number in range(1000):
        problems.add("a bad thing", f"no. {number}")

    check = problem_check("things", problems, "1000 things")

    assert (check.verdict, check.detail) == (Verdict.FAIL, "1000 things; 1000 problems")
    assert check.problems[:2] == ["a bad thing (1000 times), such as:", "  no. 0"]
    assert len(check.problems) == 6
    assert problem_check("things", Problems(), "no things").verdict is Verdict.PASS


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-28 10:00:00.000 ERROR asyncio: Task was destroyed but it is pending!",
        "Task was destroyed but it is pending!",
        "2026-11-28 10:00:00.000 ERROR mock_server: GET /: KeyError",
        "Traceback (most recent call last):",
        "sys:1: RuntimeWarning: coroutine 'x' was never awaited",
        "Exception ignored in: <function f>",
    ],
)
def test_an_error_in_the_log_is_a_problem(line: str) -> None:
    assert len(log_problems(["a good line", line])) == 1


def test_warnings_about_receivers_are_no_problem() -> None:
    line = "2026-11-28 10:00:00.000 WARNING mock_server.callbacks: callback attempt 1 failed"

    assert len(log_problems([line])) == 0
