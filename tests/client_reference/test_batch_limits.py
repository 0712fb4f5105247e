"""A batch keeps the limits of its API key (LIM-1, LIM-2), in virtual time."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import BatchResult, RateLimited, WaitTimeout
from client_reference.limiter import CONCURRENCY_MAX, REQUESTS_MAX, WINDOW_S, Limiter
from client_reference.polling import Polling
from client_reference.steps import Flow, Sleep
from client_reference.timeline import Timeline
from tests.client_reference.scripted import VirtualTime
from tests.client_reference.simulation import Provider, Simulation
from tests.properties import examples, scale

bursts = st.lists(
    st.tuples(st.integers(1, 120), st.sampled_from([0.0, 0.5, 15.0, 59.9, 60.0, 61.0])),
    max_size=5,
)


def keeps_the_window(sent_s: list[float], most: int) -> bool:
    in_order = sorted(sent_s)
    return all(
        later - earlier >= WINDOW_S - 1e-6
        for earlier, later in zip(in_order, in_order[most:], strict=False)
    )


@given(bursts=bursts)
def test_no_window_has_more_requests_than_the_limit(
    bursts: list[tuple[int, float]],
) -> None:
    time, limiter, sent_s = VirtualTime(), Limiter(10, requests_max=90), list[float]()
    for requests, pause_s in bursts:
        for _ in range(requests):
            step = next(limiter.pace(Timeline(time.clock), inf), None)
            sent_s.append(time.now_s + (step.seconds if isinstance(step, Sleep) else 0))
        time.now_s += pause_s

    assert keeps_the_window(sent_s, 90)


def test_requests_below_the_limit_are_not_delayed() -> None:
    time, limiter = VirtualTime(), Limiter(1000)

    assert all(
        next(limiter.pace(Timeline(time.clock), inf), None) is None for _ in range(REQUESTS_MAX)
    )
    assert next(limiter.pace(Timeline(time.clock), inf), None) == Sleep(WINDOW_S)


@given(left_s=st.floats(0, 2 * WINDOW_S))
@examples(20)
def test_no_request_is_delayed_past_its_deadline(left_s: float) -> None:
    time, limiter = VirtualTime(), Limiter(1000)
    for _ in range(REQUESTS_MAX):
        next(limiter.pace(Timeline(time.clock), inf), None)

    step = next(limiter.pace(Timeline(time.clock), time.now_s + left_s), Sleep(0))

    assert isinstance(step, Sleep)
    assert step.seconds == pytest.approx(min(left_s, WINDOW_S), abs=1e-6)


def test_request_past_its_deadline_is_not_delayed() -> None:
    time, limiter = VirtualTime(), Limiter(1000)
    for _ in range(REQUESTS_MAX):
        next(limiter.pace(Timeline(time.clock), inf), None)

    assert next(limiter.pace(Timeline(time.clock), time.now_s - 1), None) is None


def a_crowd() -> Limiter:
    """Return the limits of so many workers as the profile asks for, in the usual proportion."""
    workers = scale(500)
    return Limiter(workers, workers * REQUESTS_MAX // CONCURRENCY_MAX)


@pytest.mark.deep
@pytest.mark.parametrize(("timeout_s", "prompts_each"), [(0.0, 6), (10.0, 2)])
def test_batch_with_short_deadlines_keeps_limit_and_deadlines(
    timeout_s: float, prompts_each: int
) -> None:
    """The last question of a task may go before its turn; the limit has room for them."""
    provider = Provider(room=10**6, duration_s=inf)
    simulation = Simulation(provider)
    limiter = a_crowd()
    workers = limiter.concurrency
    batch = simulation.batch(limiter, Polling(first_s=0, every_s=1, max_s=1), timeout_s)
    lives_s: list[float] = []

    def lived(flow: Flow[BatchResult]) -> Flow[BatchResult]:
        result = yield from flow
        task = result.error.task if isinstance(result.error, WaitTimeout) else None
        assert task is not None
        assert task.submitted_at_s is not None
        lives_s.append(simulation.now_s - task.submitted_at_s)
        return result

    flows = (lived(batch.result(index, "a fox")) for index in range(prompts_each * workers))
    list(simulation.results(flows, workers))

    assert max(lives_s) <= timeout_s + 1
    assert len(provider.requests_s) > limiter.requests_max
    assert keeps_the_window(provider.requests_s, 10 * workers)  # LIM-1 for 1,000 workers


@pytest.mark.deep
def test_batch_with_frequent_polling_keeps_the_limit() -> None:
    """A thousand tasks that are asked for each second would need 60,000 requests a minute."""
    limiter = a_crowd()
    workers = limiter.concurrency
    provider = Provider(room=workers, duration_s=12)
    simulation = Simulation(provider)
    polling = Polling(first_s=0, every_s=1, max_s=1)
    batch = simulation.batch(limiter, polling)
    flows = (batch.result(index, "a fox") for index in range(workers))

    results = list(simulation.results(flows, workers))

    assert all(result.generation for result in results)
    assert len(provider.requests_s) > limiter.requests_max
    assert keeps_the_window(provider.requests_s, limiter.requests_max)


@given(
    prompts=st.integers(0, 40),
    concurrency=st.integers(1, 12),
    room=st.integers(1, 12),
    duration_s=st.floats(0, 120),
    retry_after=st.none() | st.integers(0, 30),
)
def test_every_prompt_succeeds_with_any_number_of_places(
    prompts: int, concurrency: int, room: int, duration_s: float, retry_after: int | None
) -> None:
    provider = Provider(room=room, duration_s=duration_s, retry_after=retry_after)
    simulation = Simulation(provider)
    batch = simulation.batch(Limiter(concurrency))
    flows = (batch.result(index, f"fox {index}") for index in range(prompts))

    results = list(simulation.results(flows, concurrency))

    assert sorted(result.index for result in results) == list(range(prompts))
    assert all(result.generation and result.prompt == f"fox {result.index}" for result in results)
    assert provider.most_at_once <= min(concurrency, room)


@pytest.mark.parametrize("room", [1, 2, 7])
def test_full_service_gets_few_rejected_submits(room: int) -> None:
    provider = Provider(room=room, duration_s=60, retry_after=2)
    simulation = Simulation(provider)
    batch = simulation.batch(Limiter(20))
    flows = (batch.result(index, "a fox") for index in range(40))

    list(simulation.results(flows, 20))

    assert provider.submits == 40 + provider.refused
    assert provider.refused <= 20 + 2 * 40 / room


@pytest.mark.parametrize("retry_after", [None, 5])
def test_batch_gives_up_if_the_service_never_has_room(retry_after: int | None) -> None:
    provider = Provider(room=0, duration_s=1, retry_after=retry_after)
    simulation = Simulation(provider)
    batch = simulation.batch(Limiter(1))

    (result,) = simulation.results(iter([batch.result(0, "a fox")]), 1)

    assert isinstance(result.error, RateLimited)
    assert provider.submits == 5


def test_retry_after_of_days_ends_a_batch_at_once() -> None:
    provider = Provider(room=0, duration_s=1, retry_after=999_999)
    simulation = Simulation(provider)
    began_s = simulation.now_s
    batch = simulation.batch(Limiter(3))
    flows = (batch.result(index, "a fox") for index in range(30))

    results = list(simulation.results(flows, 3))

    assert len(results) == 30
    assert all(isinstance(result.error, RateLimited) for result in results)
    assert provider.submits <= 3
    assert simulation.now_s - began_s < 1


def test_limiter_place_is_free_again_after_release() -> None:
    limiter = Limiter(2)

    assert limiter.acquire(0.0) == limiter.acquire(0.0) == 0
    assert limiter.acquire(0.0) > 0
    limiter.release()
    assert limiter.acquire(0.0) == 0
