"""Callbacks in a store: due at the end of a task, after its answer, tried again (CB-1 … CB-5)."""

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import ClaimDeliveries, ExpectCallback, RecordDelivery
from mock_server.domain.deliveries import DeliveryState
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.sandbox_settings import ClockSettings
from tests.mock_server.store.bench import HELD, HOOK, START_MS, Key, NewBench, lasting

OK = DeliveryResult(status=200, duration_ms=3)
UNHEARD = DeliveryResult(error="timed out")

durations_ms = st.integers(0, 100_000)


def delivery_states(key: Key) -> list[DeliveryState]:
    return [delivery.state for delivery in key.sandbox.deliveries()]


@given(st.lists(durations_ms, max_size=5))
def test_every_end_is_delivered_once_when_it_comes(
    new_bench: NewBench, durations: list[int]
) -> None:
    bench = new_bench()
    key = bench.key()
    tasks = [key.callback_task(lasting(duration_ms)) for duration_ms in durations]
    delivered: list[tuple[int, str, int]] = []
    while len(delivered) < 5 and (due_ms := key.next_due_ms()) is not None:
        bench.pass_time(due_ms - bench.real_ms)
        delivered += [(bench.real_ms, *attempt) for attempt in key.deliver(OK)]

    assert delivered == sorted(delivered, key=lambda each: each[0])
    assert sorted(delivered) == sorted((task.end_ms, task.id, 1) for task in tasks)
    assert delivery_states(key) == [DeliveryState.DELIVERED] * len(tasks)


@given(durations_ms)
def test_nothing_is_due_before_the_end(new_bench: NewBench, duration_ms: int) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.callback_task(lasting(duration_ms + 1))
    bench.pass_time(duration_ms)

    assert key.deliver(OK) == []
    bench.pass_time(1)
    assert key.deliver(OK) == [(task.id, 1)]
    assert key.deliver(OK) == []


def test_nothing_is_due_before_the_submit_has_been_answered(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.task(lasting(0), callback_url=HOOK)

    assert (key.next_due_ms(), key.deliver(OK)) == (None, [])
    key.execute(ExpectCallback, task_id=task.id)
    assert key.deliver(OK) == [(task.id, 1)]


def test_a_task_without_an_address_is_not_called_back(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    key.execute(ExpectCallback, task_id=key.task(lasting(0)).id)
    key.execute(ExpectCallback, task_id="nobody's")

    assert (key.next_due_ms(), delivery_states(key)) == (None, [])


def test_an_unheard_callback_is_tried_four_times_in_all(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.callback_task(lasting(1000))
    instants: list[int] = []
    while len(instants) < 5 and (due_ms := key.next_due_ms()) is not None:
        bench.pass_time(due_ms - bench.real_ms)
        assert key.deliver(UNHEARD) == [(task.id, len(instants) + 1)]
        instants.append(due_ms - START_MS)

    assert instants == [1000, 31_000, 151_000, 751_000]
    assert delivery_states(key) == [DeliveryState.FAILED]


def test_a_retry_counts_from_the_end_of_the_attempt_before(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    key.callback_task(lasting(0))
    (claimed,) = key.execute(ClaimDeliveries)
    bench.pass_time(7000)

    assert key.execute(RecordDelivery, claimed=claimed, delivered=UNHEARD)
    assert key.next_due_ms() == START_MS + 37_000


@given(st.sampled_from([None, "NSFW"]))
def test_an_end_by_control_is_delivered_at_once(new_bench: NewBench, fail_code: str | None) -> None:
    bench = new_bench()
    key = bench.key()
    tasks = [key.callback_task(each) for each in (HELD, lasting(50_000))]
    bench.pass_time(5)

    for task in tasks:
        key.finish(task.id, fail_code)
        assert key.next_due_ms() == bench.real_ms
        assert key.deliver(OK) == [(task.id, 1)]
    assert key.next_due_ms() is None


def test_a_task_that_ends_before_its_answer_is_read_is_called_back_all_the_same(
    new_bench: NewBench,
) -> None:
    bench = new_bench()
    key = bench.key()
    task = key.task(HELD, callback_url=HOOK)
    key.finish(task.id)
    key.execute(ExpectCallback, task_id=task.id)

    assert key.deliver(OK) == [(task.id, 1)]


def test_an_attempt_under_way_during_a_reset_is_forgotten(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    key.callback_task(lasting(0))
    (claimed,) = key.execute(ClaimDeliveries)
    key.reset()
    key.callback_task(HELD)

    assert not key.execute(RecordDelivery, claimed=claimed, delivered=UNHEARD)
    assert key.next_due_ms() is None
    assert delivery_states(key) == [DeliveryState.PENDING]


def test_a_reset_forgets_what_was_to_be_delivered(new_bench: NewBench) -> None:
    bench = new_bench()
    key = bench.key()
    key.callback_task(lasting(0))
    key.callback_task(HELD)
    key.reset()

    assert (key.next_due_ms(), key.deliver(OK)) == (None, [])
    assert delivery_states(key) == []


def test_a_callback_falls_due_by_the_sandboxs_clock(new_bench: NewBench) -> None:
    bench = new_bench(clock=ClockSettings(mode="manual"))
    key = bench.key()
    task = key.callback_task(lasting(1000))
    bench.pass_time(5000)

    assert key.deliver(OK) == []
    key.advance(1000)
    assert key.deliver(OK) == [(task.id, 1)]


def test_a_dropped_task_is_called_back_no_more(new_bench: NewBench) -> None:
    bench = new_bench(max_tasks=1)
    key = bench.key()
    key.callback_task(lasting(0))
    key.task(HELD)

    assert (key.next_due_ms(), delivery_states(key)) == (None, [])


@given(st.integers(1, 100_000), st.sampled_from([1, 4, 100]))
def test_the_wait_is_told_in_real_time(new_bench: NewBench, due_in_ms: int, speed: int) -> None:
    bench = new_bench(clock=ClockSettings(speed=speed))
    key = bench.key()

    assert key.real_wait_s() is None
    key.callback_task(lasting(due_in_ms * speed))
    assert key.real_wait_s() == due_in_ms / 1000
    bench.pass_time(due_in_ms)
    assert key.real_wait_s() == 0


def test_deliveries_name_their_tasks_in_the_order_of_submits(new_bench: NewBench) -> None:
    key = new_bench().key()
    tasks = [key.callback_task(HELD), key.callback_task(HELD)]

    deliveries = key.sandbox.deliveries()
    assert [(each.task_id, each.url) for each in deliveries] == [(task.id, HOOK) for task in tasks]
