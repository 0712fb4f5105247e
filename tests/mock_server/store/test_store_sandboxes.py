"""A key's sandbox is its own (AUTH-4), and begins again from its seed whatever runs beside it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import SetClock
from mock_server.domain.planner import DEFAULT_REQUEST, PlanRequest
from mock_server.domain.results import Rejection, RejectionReason
from mock_server.domain.task import Ending
from tests.mock_server.store.bench import HELD, Bench, Key, NewBench, lasting

Step = Callable[[Bench, Key], object]

plan_requests = st.sampled_from(
    [DEFAULT_REQUEST, HELD, PlanRequest(ending=Ending(polls=2)), lasting(5), lasting(9_000, "NSFW")]
)


def submitting(plan_request: PlanRequest, images: int) -> Step:
    return lambda _, key: key.submit(plan_request, images=images)


def asking_for(nth: int) -> Step:
    def ask(_: Bench, key: Key) -> object:
        ids = list(key.states())
        return key.status(ids[nth % len(ids)] if ids else "nobody's")

    return ask


def finishing_the_held(_: Bench, key: Key) -> object:
    held = [task_id for task_id, state in key.states().items() if not state.is_final]
    return key.finish(held[0], "GENERATION_FAILED") if held else None


steps = st.one_of(
    st.builds(submitting, plan_requests, st.sampled_from([1, 2, 4])),
    st.builds(asking_for, st.integers(0, 5)),
    st.just(finishing_the_held),
    st.just(lambda _, key: key.balance()),
    st.just(lambda _, key: key.reset()),
)
waits_ms = st.sampled_from([0, 1, 5, 10_000, 60_000])
scripts = st.lists(st.tuples(waits_ms, steps), max_size=12)


def told(bench: Bench, key: Key, step: Step) -> bytes:
    """Do a step and write down all that the key could know of it."""
    answer: Any = step(bench, key)
    return msgspec.json.encode([answer, key.counters(), key.states()])


@given(scripts, st.lists(st.lists(st.tuples(st.sampled_from("bcd"), steps), max_size=3)))
def test_a_run_is_the_same_whatever_other_keys_do(
    new_bench: NewBench, script: list[tuple[int, Step]], beside: list[list[tuple[str, Step]]]
) -> None:
    settings: dict[str, Any] = {"rate_limit": 6, "max_concurrent": 3, "balance_microusd": 400_000}
    quiet, busy = new_bench(**settings), new_bench(**settings)
    alone, watched = quiet.key("a"), busy.key("a")

    for index, (wait_ms, step) in enumerate(script):
        for name, other_step in beside[index] if index < len(beside) else []:
            other_step(busy, busy.key(name))
        quiet.pass_time(wait_ms)
        busy.pass_time(wait_ms)
        assert told(quiet, alone, step) == told(busy, watched, step)


@given(scripts)
def test_a_reset_sandbox_begins_again_from_its_seed(
    new_bench: NewBench, script: list[tuple[int, Step]]
) -> None:
    used, fresh = new_bench(), new_bench()
    key = used.key()
    for wait_ms, step in script:
        used.pass_time(wait_ms)
        step(used, key)

    key.reset()
    fresh.pass_time(used.real_ms - fresh.real_ms)

    again = [told(used, key, submitting(DEFAULT_REQUEST, 1)) for _ in range(3)]
    begun = fresh.key()
    assert again == [told(fresh, begun, submitting(DEFAULT_REQUEST, 1)) for _ in range(3)]


def test_a_reset_takes_everything_back(new_bench: NewBench) -> None:
    bench = new_bench(rate_limit=5)
    key = bench.key()
    key.change(rate_limit=1, strict=True, balance_microusd=0)
    key.execute(SetClock, mode="manual", speed=5.0)
    bench.pass_time(1000)
    key.reset()

    assert key.sandbox.settings == new_bench(rate_limit=5).key().sandbox.settings
    reading = key.sandbox.clock(bench.real_ms)
    assert (reading.mode, reading.speed, reading.now_ms) == ("real", 1.0, bench.real_ms)
    assert key.counters() == new_bench(rate_limit=5).key().counters()


@given(st.integers(-(2**63), 2**63), st.integers(-(2**63), 2**63), st.integers(1, 5))
def test_another_seed_or_key_has_other_ids(
    new_bench: NewBench, seed: int, other_seed: int, count: int
) -> None:
    def ids(seed: int, name: str) -> set[str]:
        key = new_bench(seed=seed).key(name)
        return {key.task().id for _ in range(count)}

    assert len(ids(seed, "a")) == count
    assert ids(seed, "a") == ids(seed, "a")
    assert ids(seed, "a").isdisjoint(ids(seed, "b"))
    assert ids(seed, "a").isdisjoint(ids(other_seed, "a")) == (seed != other_seed)


def test_a_key_never_sees_another_keys_task(new_bench: NewBench) -> None:
    bench = new_bench()
    task = bench.key("one").task()
    other = bench.key("another")
    answer = other.status(task.id)

    assert isinstance(answer, Rejection)
    assert answer.reason is RejectionReason.UNKNOWN_TASK
    assert other.sandbox.task(task.id, bench.real_ms) is None
    assert other.states() == {}


def test_limits_and_balance_are_each_keys_own(new_bench: NewBench) -> None:
    bench = new_bench(rate_limit=2, max_concurrent=1, balance_microusd=35_000)
    one, other = bench.key("one"), bench.key("another")
    one.task(HELD)
    one.submit()
    one.status("nobody's")

    other.task(HELD)
    assert other.counters().requests == 1


def test_one_id_is_one_sandbox(new_bench: NewBench) -> None:
    bench = new_bench()
    task = bench.key("one").task()

    assert bench.key("one").states().keys() == {task.id}
    assert bench.run(bench.store.read(task.sandbox_id)) is not None
    assert bench.run(bench.store.read("0123456789abcdef")) is None


@pytest.mark.parametrize("name", ["one", "another"])
def test_dropping_all_lets_go_of_every_key(new_bench: NewBench, name: str) -> None:
    bench = new_bench()
    keys = [bench.key("one"), bench.key("another")]
    ids = [key.task().id for key in keys]
    bench.run(bench.store.drop_all())

    assert not any(bench.has(key) for key in keys)
    assert bench.sandbox_ids() == set()
    begun = bench.key(name)
    assert begun.states() == {}
    assert begun.task().id in ids


def test_reader_of_removed_sandbox_sees_nothing(new_bench: NewBench) -> None:
    """Whoever waits in a sandbox that is removed must not be shown its tasks."""
    bench = new_bench()
    key = bench.key()
    task = key.task()
    reader = key.sandbox
    bench.run(bench.store.drop_all())

    assert reader.task(task.id, bench.real_ms) is None
    assert reader.tasks(bench.real_ms)[0] == []
    assert reader.entries() == []
