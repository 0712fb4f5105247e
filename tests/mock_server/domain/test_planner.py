"""A plan is whole, keeps the contract's times, and is always the same for the same chance."""

from statistics import fmean

import pytest
from hypothesis import given

from mock_server.domain.chance import draw
from mock_server.domain.planner import PlanRequest
from tests.mock_server.domain.strategies import (
    NOW_MS,
    Times,
    briefs,
    chances,
    durations_ms,
    generation_times_ms,
    instants_ms,
    ordinals,
    sandbox_ids,
    seeds,
    times,
)


def spans_ms(planned: Times) -> tuple[int, int]:
    """Return how long a task is pending, and how long the whole takes."""
    assert planned.end_ms is not None
    return planned.start_ms - NOW_MS, planned.end_ms - NOW_MS


@given(chances, generation_times_ms)
def test_the_whole_takes_a_third_to_three_times_the_average(drawn: bytes, average_ms: int) -> None:
    _, whole_ms = spans_ms(times(drawn=drawn, generation_time_ms=average_ms))

    assert average_ms / 3 - 0.5 <= whole_ms <= average_ms * 3 + 0.5


@given(chances, generation_times_ms)
def test_pending_takes_at_most_a_tenth_and_three_seconds(drawn: bytes, average_ms: int) -> None:
    pending_ms, whole_ms = spans_ms(times(drawn=drawn, generation_time_ms=average_ms))

    assert 0 <= pending_ms <= min(whole_ms / 10, 3000)
    assert pending_ms >= min(int(whole_ms / 10), 1000)


@pytest.mark.parametrize("average_ms", [1000, 30_000, 600_000], ids="{} ms".format)
@pytest.mark.parametrize("seed", [1, 2, 3], ids="seed {}".format)
def test_many_tasks_take_the_generation_time_on_average(seed: int, average_ms: int) -> None:
    wholes = [
        spans_ms(times(drawn=draw(seed, "a", turn, "task"), generation_time_ms=average_ms))[1]
        for turn in range(1, 4001)
    ]

    assert fmean(wholes) == pytest.approx(average_ms, rel=0.03)
    assert len(set(wholes)) > 400


@given(chances)
def test_a_generation_time_of_nothing_ends_at_once(drawn: bytes) -> None:
    assert spans_ms(times(drawn=drawn, generation_time_ms=0)) == (0, 0)


@given(chances, durations_ms, durations_ms, generation_times_ms)
def test_asked_durations_replace_the_drawn_ones_each_for_itself(
    drawn: bytes, pending_ms: int, processing_ms: int, average_ms: int
) -> None:
    def spans_of(brief: PlanRequest) -> tuple[int, int]:
        return spans_ms(times(brief, drawn=drawn, generation_time_ms=average_ms))

    drawn_pending_ms, drawn_whole_ms = spans_of(PlanRequest())
    drawn_processing_ms = drawn_whole_ms - drawn_pending_ms

    assert spans_of(PlanRequest(pending_ms=pending_ms)) == (
        pending_ms,
        pending_ms + drawn_processing_ms,
    )
    assert spans_of(PlanRequest(processing_ms=processing_ms)) == (
        drawn_pending_ms,
        drawn_pending_ms + processing_ms,
    )
    assert spans_of(PlanRequest(pending_ms=pending_ms, processing_ms=processing_ms)) == (
        pending_ms,
        pending_ms + processing_ms,
    )


@given(briefs(), chances)
def test_end_of_a_held_or_polled_task_is_open(brief: PlanRequest, drawn: bytes) -> None:
    planned = times(brief, drawn=drawn)

    assert (planned.end_ms is None) == (brief.is_held or brief.ending.polls > 0)


@given(briefs(), chances, instants_ms)
def test_the_same_submit_has_the_same_plan_whenever_it_comes(
    brief: PlanRequest, drawn: bytes, now_ms: int
) -> None:
    planned, again = times(brief, drawn=drawn), times(brief, drawn=drawn)
    later = times(brief, drawn=drawn, now_ms=now_ms)

    assert planned == again
    assert later.start_ms - now_ms == planned.start_ms - NOW_MS
    if planned.end_ms is not None and later.end_ms is not None:
        assert later.end_ms - now_ms == planned.end_ms - NOW_MS


@given(seeds, sandbox_ids, ordinals, seeds, sandbox_ids, ordinals)
def test_another_seed_sandbox_or_turn_has_another_plan(
    seed: int, sandbox_id: str, turn: int, other_seed: int, other_id: str, other_turn: int
) -> None:
    def planned(seed: int, sandbox_id: str, turn: int) -> Times:
        return times(drawn=draw(seed, sandbox_id, turn, "task"), generation_time_ms=10**12)

    usual = planned(seed, sandbox_id, turn)

    assert (planned(other_seed, sandbox_id, turn) == usual) == (other_seed == seed)
    assert (planned(seed, other_id, turn) == usual) == (other_id == sandbox_id)
    assert (planned(seed, sandbox_id, other_turn) == usual) == (other_turn == turn)
