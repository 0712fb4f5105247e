"""A submit is let through whole or not at all (LIM-1 … LIM-4, SUB-17, BIL-1, FAIL-5)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.results import BalanceView, Rejection, RejectionReason, TaskView
from tests.mock_server.store.bench import HELD, MODEL, PRICE, Key, NewBench, lasting

limits = st.integers(1, 5)
durations_ms = st.integers(1, 50_000)


def reason(answer: object) -> RejectionReason:
    assert isinstance(answer, Rejection)
    return answer.reason


@given(st.lists(durations_ms, min_size=1, max_size=5), st.integers(0, 3))
def test_exactly_so_many_tasks_live_and_a_slot_comes_back_at_an_end_and_not_before(
    new_bench: NewBench, durations: list[int], tries: int
) -> None:
    bench = new_bench(max_concurrent=len(durations))
    key = bench.key()
    for duration_ms in durations:
        key.task(lasting(duration_ms))

    refused = [key.submit(lasting(0)) for _ in range(tries)]
    bench.pass_time(min(durations) - 1)
    just_before = key.submit()
    bench.pass_time(1)
    at_the_end = key.submit(HELD)

    now_ms = bench.real_ms
    assert (
        refused
        == [Rejection(RejectionReason.CONCURRENCY, now_ms - min(durations), min(durations))] * tries
    )
    assert just_before == Rejection(RejectionReason.CONCURRENCY, now_ms - 1, 1)
    assert isinstance(at_the_end, TaskView)


@given(limits)
def test_a_task_that_control_ends_gives_its_slot_back(new_bench: NewBench, limit: int) -> None:
    key = new_bench(max_concurrent=limit).key()
    tasks = [key.task(HELD) for _ in range(limit)]

    assert key.submit(HELD) == Rejection(RejectionReason.CONCURRENCY, tasks[0].created_ms, 0)
    key.finish(tasks[-1].id)
    assert isinstance(key.submit(HELD), TaskView)
    assert reason(key.submit(HELD)) is RejectionReason.CONCURRENCY


@given(limits)
def test_status_requests_work_at_the_limit_of_tasks(new_bench: NewBench, limit: int) -> None:
    key = new_bench(max_concurrent=limit).key()
    tasks = [key.task(HELD) for _ in range(limit)]
    key.submit()

    assert all(isinstance(key.status(task.id), TaskView) for task in tasks)
    assert isinstance(key.balance(), BalanceView)


@given(st.lists(st.sampled_from(["submit", "status", "unknown", "balance"]), max_size=12), limits)
def test_all_requests_count_together_but_those_answered_429(
    new_bench: NewBench, requests: list[str], limit: int
) -> None:
    bench = new_bench(rate_limit=limit, max_concurrent=100)
    key = bench.key()
    for request in requests:
        ask(key, request)
        bench.pass_time(1)
    counters = key.counters()

    assert counters.requests == min(len(requests), limit)
    assert counters.rejected == max(0, len(requests) - limit)
    if counters.rejected:
        bench.pass_time(60_000 - len(requests) - 1)
        assert reason(key.balance()) is RejectionReason.RATE_LIMIT
        bench.pass_time(1)
        assert isinstance(key.balance(), BalanceView)


def ask(key: Key, request: str) -> object:
    if request == "submit":
        return key.submit(HELD)
    if request == "balance":
        return key.balance()
    return key.status(next(iter(key.states()), "nobody's") if request == "status" else "nobody's")


@given(limits, st.integers(1, 10))
def test_submits_over_the_limit_of_tasks_do_not_use_up_the_rate(
    new_bench: NewBench, limit: int, tries: int
) -> None:
    key = new_bench(max_concurrent=1, rate_limit=limit + 1).key()
    task = key.task(HELD)

    assert {reason(key.submit()) for _ in range(tries)} == {RejectionReason.CONCURRENCY}
    assert all(isinstance(key.status(task.id), TaskView) for _ in range(limit))
    assert reason(key.status(task.id)) is RejectionReason.RATE_LIMIT


@given(st.sampled_from(MODEL.image_counts), st.integers(0, 10 * PRICE))
def test_a_task_is_let_through_when_the_balance_pays_all_its_images(
    new_bench: NewBench, images: int, balance: int
) -> None:
    key = new_bench(balance_microusd=balance).key()

    answer = key.submit(HELD, images=images)

    is_paid = images * PRICE <= balance
    assert isinstance(answer, TaskView) if is_paid else reason(answer) is RejectionReason.CREDITS
    assert key.counters().balance_microusd == balance - images * PRICE * is_paid
    assert key.counters().requests == 1


@given(st.lists(st.tuples(st.sampled_from(MODEL.image_counts), st.booleans()), max_size=5))
def test_after_the_end_only_what_succeeded_is_paid(
    new_bench: NewBench, ends: list[tuple[int, bool]]
) -> None:
    bench = new_bench(balance_microusd=100 * PRICE)
    key = bench.key()
    for images, is_failing in ends:
        key.task(lasting(10, "NSFW" if is_failing else None), images=images)
    bench.pass_time(10)

    paid = PRICE * sum(images for images, is_failing in ends if not is_failing)
    assert key.balance() == BalanceView(bench.real_ms, 100 * PRICE - paid)


def test_a_broke_key_has_no_credit_until_somebody_pays(new_bench: NewBench) -> None:
    key = new_bench().key(is_broke=True)

    assert reason(key.submit()) is RejectionReason.CREDITS
    key.change(balance_microusd=2 * PRICE)
    assert isinstance(key.submit(), TaskView)
    key.reset()
    assert reason(key.submit()) is RejectionReason.CREDITS


def test_a_balance_can_be_taken_away(new_bench: NewBench) -> None:
    key = new_bench().key()
    key.change(balance_microusd=0)

    assert reason(key.submit()) is RejectionReason.CREDITS


@given(
    st.sampled_from(
        [RejectionReason.RATE_LIMIT, RejectionReason.CONCURRENCY, RejectionReason.CREDITS]
    )
)
def test_a_refused_submit_leaves_nothing_behind(new_bench: NewBench, why: RejectionReason) -> None:
    settings: dict[str, Any] = {
        RejectionReason.RATE_LIMIT: {"rate_limit": 1},
        RejectionReason.CONCURRENCY: {"max_concurrent": 1},
        RejectionReason.CREDITS: {"balance_microusd": PRICE},
    }[why]
    key = new_bench(**settings).key()
    first = key.task(HELD)
    before = key.counters()

    assert reason(key.submit()) is why
    assert key.states().keys() == {first.id}
    assert key.counters().balance_microusd == before.balance_microusd
    assert key.counters().live_tasks == 1


def test_a_refused_submit_takes_nobodys_turn(new_bench: NewBench) -> None:
    key, other = new_bench(max_concurrent=1).key(), new_bench().key()
    first = key.task(HELD)
    key.submit()
    key.finish(first.id)

    assert [first.id, key.task().id] == [other.task().id, other.task().id]


def test_a_task_is_found_on_its_own_models_path_only(new_bench: NewBench) -> None:
    key = new_bench().key()
    task = key.task()

    assert isinstance(key.status(task.id), TaskView)
    assert reason(key.status(task.id, "another-model")) is RejectionReason.UNKNOWN_TASK
    assert reason(key.status("task_0")) is RejectionReason.UNKNOWN_TASK
