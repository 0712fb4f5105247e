"""The sandbox's clock moves everything in it, and the journal keeps what was written."""

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import (
    HoldClock,
    MoveClock,
    RecordExchange,
    ReleaseClock,
    SetClock,
)
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.results import BalanceView, Rejection, TaskView
from mock_server.domain.sandbox_settings import ClockSettings
from mock_server.domain.task import TaskState
from tests.mock_server.store.bench import START_MS, Bench, Key, NewBench, lasting

spans_ms = st.integers(1, 100_000)


def advance(bench: Bench, key: Key, by_ms: int) -> None:
    """Move the clock as control does, while real time goes on."""
    from_ms = key.execute(HoldClock)
    assert from_ms is not None
    bench.pass_time(17)
    key.execute(MoveClock, instant_ms=from_ms + by_ms)
    key.execute(ReleaseClock)


@given(spans_ms, spans_ms)
def test_time_moved_by_hand_ends_tasks_on_time(
    new_bench: NewBench, duration_ms: int, real_ms: int
) -> None:
    bench = new_bench(clock=ClockSettings(mode="manual"))
    key = bench.key()
    task = key.task(lasting(duration_ms))
    bench.pass_time(real_ms)
    advance(bench, key, duration_ms - 1)

    assert key.status_state(task.id) is TaskState.PROCESSING
    advance(bench, key, 1)
    assert key.status_state(task.id) is TaskState.SUCCESS


@given(st.lists(st.tuples(spans_ms, spans_ms), max_size=5))
def test_moved_and_passed_time_add_up(new_bench: NewBench, spans: list[tuple[int, int]]) -> None:
    bench = new_bench()
    key = bench.key()
    for moved_ms, passed_ms in spans:
        advance(bench, key, moved_ms)
        bench.pass_time(passed_ms)

    counted = key.balance()
    assert counted == BalanceView(START_MS + sum(map(sum, spans)), key.counters().balance_microusd)


@given(spans_ms, st.sampled_from([1.0, 20.0]))
def test_a_scaled_clock_shortens_tasks_and_the_rate_window(
    new_bench: NewBench, wait_ms: int, speed: float
) -> None:
    bench = new_bench(rate_limit=1, clock=ClockSettings(speed=speed))
    key = bench.key()
    key.task(lasting(wait_ms))
    bench.pass_time(wait_ms)

    passed_ms = round(wait_ms * speed)
    assert list(key.states().values()) == [TaskState.SUCCESS]
    assert isinstance(key.balance(), Rejection) == (passed_ms < 60_000)


def test_every_answer_tells_the_instant_at_which_it_took_place(new_bench: NewBench) -> None:
    bench = new_bench(clock=ClockSettings(mode="manual"))
    key = bench.key()
    advance(bench, key, 1234)
    seen = key.submit()
    assert isinstance(seen, TaskView)
    observed, counted = key.status(seen.task.id), key.balance()

    assert seen.task.created_ms == seen.now_ms == START_MS + 1234
    assert isinstance(observed, TaskView)
    assert isinstance(counted, BalanceView)
    assert observed.now_ms == counted.now_ms == START_MS + 1234


def test_another_manner_of_time_goes_on_from_where_the_clock_stands(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    bench.pass_time(500)
    stood = key.execute(SetClock, mode="manual", speed=2.0)
    bench.pass_time(500)
    stands = key.sandbox.clock(bench.real_ms)
    key.execute(SetClock, mode="real", speed=2.0)
    bench.pass_time(500)

    assert stood == stands
    assert (stood.mode, stood.speed, stood.now_ms) == ("manual", 2.0, START_MS + 500)
    assert key.sandbox.clock(bench.real_ms).now_ms == START_MS + 1500


@given(st.lists(st.sampled_from(["", "task_1", "task_2"]), max_size=8))
def test_the_journal_keeps_what_was_written_in_order(
    new_bench: NewBench, task_ids: list[str]
) -> None:
    bench = new_bench()
    key = bench.key()
    written = [
        Entry(number, number, Operation.STATUS, task_id, 200, 5, b"asked", b"answered")
        for number, task_id in enumerate(task_ids)
    ]
    for entry in written:
        key.execute(RecordExchange, entry=entry)

    numbered = list(enumerate(written, start=1))
    assert key.sandbox.entries() == numbered
    assert key.sandbox.entries(since=3) == numbered[3:]
    assert key.counters().journal_entries == len(written)
