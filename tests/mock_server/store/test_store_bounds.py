"""How much a store keeps: ended tasks go first, oldest first, and idle sandboxes go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import ClaimDeliveries, Restore, TakeSnapshot
from mock_server.domain.errors import NoRoom, SandboxMissing
from mock_server.domain.results import Rejection, RejectionReason, TaskView
from tests.mock_server.store.bench import HELD, START_MS, NewBench, lasting

submits = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from([0, 1, 5, 20, 1000, 100_000])), max_size=25
)


def is_full(answer: TaskView | Rejection) -> bool:
    return isinstance(answer, Rejection) and answer.reason is RejectionReason.NO_ROOM


@given(submits, st.integers(1, 5))
def test_ended_tasks_are_dropped_first_and_oldest_first(
    new_bench: NewBench, submits: list[tuple[int, int]], max_tasks: int
) -> None:
    """The model: when each kept task ends, and its turn."""
    bench = new_bench(max_tasks=max_tasks)
    key = bench.key()
    kept: dict[str, tuple[int, int]] = {}
    for turn, (wait_ms, duration_ms) in enumerate(submits):
        bench.pass_time(wait_ms)
        ended = [task_id for task_id in kept if kept[task_id][0] <= bench.real_ms]
        answer = key.submit(lasting(duration_ms))

        assert is_full(answer) == (len(kept) == max_tasks and not ended)
        if isinstance(answer, TaskView):
            if len(kept) == max_tasks:
                del kept[min(ended, key=kept.__getitem__)]
            kept[answer.task.id] = (bench.real_ms + duration_ms, turn)
        assert key.states().keys() == kept.keys()


def test_dropped_tasks_are_counted_and_stay_paid(new_bench: NewBench) -> None:
    bench = new_bench(max_tasks=1, balance_microusd=200_000)
    key = bench.key()
    first = key.task(lasting(5))
    bench.pass_time(5)
    key.task(HELD)
    counters = key.counters()

    assert isinstance(key.status(first.id), Rejection)
    assert (counters.dropped_tasks, counters.live_tasks, counters.succeeded) == (1, 1, 1)
    assert counters.balance_microusd == 200_000 - 2 * 35_000


@given(st.lists(st.sampled_from("abc"), max_size=12), st.integers(1, 4))
def test_live_tasks_of_any_key_are_never_dropped(
    new_bench: NewBench, names: list[str], max_tasks: int
) -> None:
    bench = new_bench(max_tasks=max_tasks)
    answers = [bench.key(name).submit(HELD) for name in names]

    assert [is_full(answer) for answer in answers] == [
        number >= max_tasks for number in range(len(names))
    ]


def test_a_task_that_has_ended_unnoticed_makes_room_for_another_key(new_bench: NewBench) -> None:
    bench = new_bench(max_tasks=1)
    idle, busy = bench.key("idle"), bench.key("busy")
    idle.task(lasting(10))

    assert is_full(busy.submit())
    bench.pass_time(10)
    assert isinstance(busy.submit(), TaskView)
    assert idle.states() == {}


@given(st.lists(st.sampled_from(["submit", "fill", "wait", "reset", "drop all"]), max_size=15))
def test_whatever_was_dropped_the_room_is_exact(new_bench: NewBench, steps: list[str]) -> None:
    bench = new_bench(max_tasks=3)
    for step in steps:
        key = bench.key("a")
        if step in {"submit", "fill"}:
            for _ in range(4 if step == "fill" else 1):
                key.submit(lasting(10))
        elif step == "wait":
            bench.pass_time(10)
        elif step == "reset":
            key.reset()
        else:
            bench.run(bench.store.drop_all())
    bench.pass_time(10)

    answers = [bench.key("b").submit(HELD) for _ in range(4)]

    assert [is_full(answer) for answer in answers] == [False, False, False, True]


def test_a_task_is_not_dropped_for_one_that_bore_its_id_before_a_reset(
    new_bench: NewBench,
) -> None:
    bench = new_bench(max_tasks=4)
    again, others = bench.key("again"), bench.key("others")
    again.task(lasting(0))
    for _ in range(3):
        others.task(lasting(0))
    again.counters()
    others.counters()
    again.reset()
    held = again.task(HELD)
    for _ in range(3):
        others.task(HELD)

    assert is_full(others.submit())
    assert again.states().keys() == {held.id}


def test_what_still_comes_to_a_dropped_sandbox_takes_no_room(new_bench: NewBench) -> None:
    bench = new_bench(max_tasks=1)
    late = bench.key("late")
    bench.run(bench.store.drop_all())

    with pytest.raises(SandboxMissing):
        late.submit(HELD)
    assert isinstance(bench.key("new").submit(HELD), TaskView)


def test_what_still_ends_in_a_dropped_sandbox_harms_nobody(new_bench: NewBench) -> None:
    bench = new_bench(max_tasks=1)
    late = bench.key("same")
    late.callback_task(lasting(10))
    bench.run(bench.store.drop_all())
    held = bench.key("same").task(HELD)
    bench.pass_time(10)

    assert late.execute(ClaimDeliveries) == []
    assert is_full(bench.key("other").submit())
    assert bench.key("same").states().keys() == {held.id}


@given(st.lists(st.integers(0, 8), max_size=40), st.integers(1, 6))
def test_the_sandboxes_that_are_idle_for_longest_go(
    new_bench: NewBench, uses: list[int], max_sandboxes: int
) -> None:
    """The model: when each key was used last."""
    bench = new_bench(max_sandboxes=max_sandboxes)
    used_ms: dict[str, int] = {}
    for number in uses:
        bench.pass_time(1)
        key = bench.key(f"key {number}")
        key.balance()
        used_ms[key.id] = bench.real_ms
        kept = bench.sandbox_ids()
        gone = used_ms.keys() - kept

        assert len(kept) <= max_sandboxes
        assert not gone or len(used_ms) > max_sandboxes
        assert max((used_ms.pop(each) for each in gone), default=START_MS) <= min(used_ms.values())


def test_sandboxes_with_live_tasks_go_last(new_bench: NewBench) -> None:
    bench = new_bench(max_sandboxes=2)
    waiting = bench.key("waiting")
    waiting.task(HELD)
    bench.pass_time(1000)
    busy = bench.key("busy")
    busy.balance()
    bench.key("new")

    assert (bench.has(waiting), bench.has(busy)) == (True, False)


def test_the_tasks_of_an_evicted_sandbox_make_room(new_bench: NewBench) -> None:
    bench = new_bench(max_sandboxes=1, max_tasks=1)
    old = bench.key("old")
    old.task(HELD)
    new = bench.key("new")

    assert (bench.has(old), bench.has(new)) == (False, True)
    assert isinstance(new.submit(), TaskView)
    assert bench.key("old").states() == {}


def test_looking_for_room_does_not_make_the_idle_look_busy(new_bench: NewBench) -> None:
    bench = new_bench(max_sandboxes=2, max_tasks=1)
    busy = bench.key("busy")
    bench.pass_time(1)
    idle = bench.key("idle")
    bench.pass_time(1)
    busy.task(HELD)
    bench.pass_time(1)

    assert is_full(busy.submit())
    bench.key("new")
    assert (bench.has(busy), bench.has(idle)) == (True, False)


def test_tasks_that_were_restored_count_once_as_room(new_bench: NewBench) -> None:
    """A snapshot that is restored in its own sandbox has the ids that were there before."""
    bench = new_bench(max_tasks=4)
    restored, live = bench.key("restored"), bench.key("live")
    for _ in range(2):
        restored.task(lasting(0))
    restored.execute(Restore, snapshot=restored.execute(TakeSnapshot).snapshot())
    for _ in range(2):
        live.task(HELD)
    elsewhere = new_bench().key("too large")
    for _ in range(3):
        elsewhere.task(HELD)
    too_large = elsewhere.execute(TakeSnapshot).snapshot()

    with pytest.raises(NoRoom):
        bench.key("too large").execute(Restore, snapshot=too_large)
    assert len(restored.states()) == len(live.states()) == 2
