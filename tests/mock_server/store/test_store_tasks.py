"""How polls, hold and control end a task (STA-5), and what changed settings change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.planner import PlanRequest
from mock_server.domain.results import Rejection, RejectionReason, TaskView
from mock_server.domain.task import Ending, TaskState
from tests.mock_server.store.bench import HELD, NewBench, lasting

CENTURY_MS = 100 * 365 * 86_400_000

waits_ms = st.integers(0, 60_000)


@given(st.integers(1, 6), waits_ms, st.sampled_from([None, "NSFW"]))
def test_polls_end_a_task_at_the_nth_status_request(
    new_bench: NewBench, polls: int, wait_ms: int, fail_code: str | None
) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.task(PlanRequest(ending=Ending(polls=polls, fail_code=fail_code)))
    seen = []
    for _ in range(polls + 2):
        bench.pass_time(wait_ms)
        answer = key.status(task.id)
        assert isinstance(answer, TaskView)
        seen.append(answer.ends_now)

    assert seen == [number == polls for number in range(1, polls + 3)]
    assert key.states()[task.id] == (TaskState.FAILED if fail_code else TaskState.SUCCESS)
    ended = key.stored(task.id)
    assert ended.end_ms == task.created_ms + polls * wait_ms
    assert 0 <= ended.cost_time_ms <= polls * wait_ms


@given(st.integers(1, 6))
def test_control_looks_without_polling(new_bench: NewBench, polls: int) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.task(PlanRequest(ending=Ending(polls=polls)))
    for _ in range(polls):
        key.states()
        key.sandbox.task(task.id, bench.real_ms)
    key.status(task.id, "another-model")

    assert key.stored(task.id).polls_seen == 0
    assert not key.states()[task.id].is_final


@given(waits_ms, st.sampled_from([None, "NSFW"]))
def test_a_held_task_is_processing_until_control_ends_it(
    new_bench: NewBench, wait_ms: int, fail_code: str | None
) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.task(HELD)
    bench.pass_time(CENTURY_MS + wait_ms)

    assert key.status_state(task.id) is TaskState.PROCESSING
    key.finish(task.id, fail_code)
    assert key.status_state(task.id) is (TaskState.FAILED if fail_code else TaskState.SUCCESS)
    assert key.stored(task.id).end_ms == bench.real_ms


@given(waits_ms, st.sampled_from([None, "NSFW"]), st.sampled_from([None, "CONTENT_VIOLATION"]))
def test_what_control_says_goes_before_the_plan(
    new_bench: NewBench, wait_ms: int, planned: str | None, forced: str | None
) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.task(lasting(wait_ms + 1, planned))
    bench.pass_time(wait_ms)

    seen = key.finish(task.id, forced)

    assert isinstance(seen, TaskView)
    ended = seen.task
    assert (ended.end_ms, ended.ending.fail_code) == (bench.real_ms, forced)
    assert ended.ending.reasons[0] == f"forced by control: {forced or 'success'}"
    assert 0 <= ended.cost_time_ms <= wait_ms


@pytest.mark.parametrize("fail_code", [None, "NSFW"], ids=["success", "failed"])
def test_an_ended_task_cannot_be_ended_again(new_bench: NewBench, fail_code: str | None) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.task(lasting(10, fail_code))
    bench.pass_time(10)
    before = key.counters()

    answer = key.finish(task.id, "GENERATION_FAILED")
    assert answer == Rejection(RejectionReason.TASK_ENDED, bench.real_ms)
    assert key.stored(task.id).ending.fail_code == fail_code
    assert key.counters() == before


@pytest.mark.parametrize("has_directives", [True, False], ids=["directives", "none"])
def test_a_task_remembers_that_its_prompt_had_directives(
    new_bench: NewBench, *, has_directives: bool
) -> None:
    task = new_bench().key().task(PlanRequest(has_directives=has_directives))

    assert task.order.has_directives == has_directives


def test_a_task_tells_its_sandbox_by_its_id(new_bench: NewBench) -> None:
    key = new_bench().key()

    assert key.task().sandbox_id == key.sandbox.id


def test_nobodys_task_cannot_be_ended(new_bench: NewBench) -> None:
    bench = new_bench()

    answer = bench.key("one").finish(bench.key("another").task().id)

    assert answer == Rejection(RejectionReason.UNKNOWN_TASK, bench.real_ms)


def test_control_sees_the_newest_task_first(new_bench: NewBench) -> None:
    key = new_bench().key()
    ids = [key.task().id for _ in range(3)]

    assert list(key.states()) == ids[::-1]


@given(st.integers(1, 100_000))
def test_another_generation_time_is_for_new_tasks_only(new_bench: NewBench, average: int) -> None:
    key = new_bench(generation_time_ms=0).key()
    old = key.task()
    key.change(generation_time_ms=average)
    new = key.task()

    assert old.end_ms == old.created_ms
    assert new.end_ms is not None
    assert average / 3 - 1 <= new.end_ms - new.created_ms <= average * 3 + 1


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_other_limits_hold_at_once_and_forget_nothing(
    new_bench: NewBench, rate: int, asked: int, other_rate: int
) -> None:
    key = new_bench(rate_limit=rate, max_concurrent=9).key()
    let_through = [isinstance(key.balance(), Rejection) for _ in range(asked)].count(False)
    key.change(rate_limit=other_rate, max_concurrent=1)

    more = [isinstance(key.balance(), Rejection) for _ in range(9)].count(False)

    assert more == max(0, other_rate - let_through)
    assert key.sandbox.settings.max_concurrent == 1
