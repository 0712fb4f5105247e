"""Waiting asks as advised, ends at its deadline and keeps the task (TIM-2)."""

from collections.abc import Callable
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApiTimeout,
    ApixoError,
    RateLimited,
    ServerError,
    Task,
    UnexpectedResponse,
    WaitTimeout,
)
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    Answer,
    Service,
    VirtualTime,
    accepts,
    breaks,
    fails,
    raw,
    says,
    succeeds,
    told,
)

PROCESSING = told("processing")


def test_the_first_question_comes_after_20_seconds_and_the_next_every_3(
    driver: Driver, time: VirtualTime
) -> None:
    service = Service(submit=[accepts()], status=[told("pending"), *[PROCESSING] * 2, succeeds()])

    driver.client(service, time).generate("a fox")

    assert time.pauses == [20, 3, 3, 3]


def test_past_the_usual_duration_the_pauses_grow_up_to_a_bound(
    driver: Driver, time: VirtualTime
) -> None:
    service = Service(submit=[accepts()], status=[*[PROCESSING] * 30, succeeds()])

    driver.client(service, time).generate("a fox", timeout=600)

    assert time.pauses[:5] == [20, 3, 3, 3, 3]
    assert all(before < after or before == 15 for before, after in pairwise(time.pauses[4:]))
    assert max(time.pauses[1:]) == 15


def test_what_passed_since_the_submit_counts(driver: Driver, time: VirtualTime) -> None:
    client = driver.client(Service(submit=[accepts()], status=[PROCESSING, succeeds()]), time)
    task = client.submit("a fox")
    time.now_s += 12

    client.wait(task)

    assert time.pauses == [8, 3]


def test_a_clock_set_back_since_the_submit_delays_nothing(
    driver: Driver, time: VirtualTime
) -> None:
    client = driver.client(Service(submit=[accepts()], status=[succeeds()]), time)
    task = client.submit("a fox")
    time.now_s -= 3600

    client.wait(task)

    assert time.pauses == [20]


@pytest.mark.parametrize(
    "task", ["task_1", Task(id="task_1", state="processing")], ids=["id", "task"]
)
def test_a_task_of_somebody_else_is_asked_for_at_once(
    driver: Driver, time: VirtualTime, task: Task | str
) -> None:
    client = driver.client(Service(status=[PROCESSING, succeeds()]), time)

    assert client.wait(task).state == "success"
    assert time.pauses == [3]


@pytest.mark.parametrize("state", ["success", "failed"])
def test_a_task_that_has_ended_needs_no_request(driver: Driver, state: str) -> None:
    service = Service()
    task = Task(id="task_1", state=state)

    assert driver.client(service).wait(task, timeout=0) is task
    assert service.requests == []


@given(timeout_ms=st.integers(0, 400_000))
def test_the_last_question_is_asked_at_the_deadline_and_none_after_it(
    driver: Driver, timeout_ms: int
) -> None:
    timeout = timeout_ms / 1000
    time = VirtualTime()
    service = Service(submit=[accepts()], status=[PROCESSING])
    began_s = time.now_s

    with pytest.raises(WaitTimeout) as caught:
        driver.client(service, time).generate("a fox", timeout=timeout)

    assert time.now_s - began_s == pytest.approx(timeout, abs=1e-6)
    assert len(service.asked("status")) == max(1, len(time.pauses))
    assert caught.value.task.state == "processing"
    assert "task_1" in str(caught.value)


def test_an_end_that_comes_at_the_deadline_is_seen(driver: Driver, time: VirtualTime) -> None:
    service = Service(submit=[accepts()], status=[PROCESSING, succeeds()])

    generation = driver.client(service, time).generate("a fox", timeout=21.5)

    assert time.pauses == [20, 1.5]
    assert generation.task.state == "success"


def test_waiting_can_go_on_after_a_timeout(driver: Driver, time: VirtualTime) -> None:
    client = driver.client(Service(submit=[accepts()], status=[PROCESSING, succeeds()]), time)
    with pytest.raises(WaitTimeout) as caught:
        client.generate("a fox", timeout=10)

    task = client.wait(caught.value.task)

    assert task.state == "success"
    assert time.pauses == [10, 10]


@pytest.mark.parametrize("clock", [lambda: 1e9, iter(range(10**9, 0, -3600)).__next__])
def test_neither_a_clock_that_stands_nor_one_that_goes_back_stretches_the_deadline(
    driver: Driver, time: VirtualTime, clock: Callable[[], float]
) -> None:
    time.clock = clock  # type: ignore[method-assign]  # a clock that is broken

    with pytest.raises(WaitTimeout):
        driver.client(Service(status=[PROCESSING]), time).wait("task_1", timeout=60)

    assert sum(time.pauses) == pytest.approx(60)


@given(states=st.lists(st.text(min_size=1).filter(lambda s: s not in {"success", "failed"})))
def test_a_state_of_the_future_counts_as_not_ended(driver: Driver, states: list[str]) -> None:
    seen: list[str] = []
    client = driver.client(Service(status=[*map(told, states), succeeds()]))

    client.wait("task_1", timeout=1e6, on_update=lambda task: seen.append(task.state))

    assert seen == [*states, "success"]


@given(
    extra=st.dictionaries(
        st.text().filter(lambda name: name not in {"taskId", "state", "createTime"}),
        st.none() | st.integers() | st.text() | st.lists(st.text()),
    ).filter(
        lambda extra: (
            not extra.keys() & {"resultJson", "failCode", "failMsg", "completeTime", "costTime"}
        )
    )
)
def test_unknown_members_are_kept(driver: Driver, extra: dict[str, object]) -> None:
    answer = says(200, {"taskId": "task_1", "state": "processing", **extra})

    assert driver.client(Service(status=[answer])).status("task_1").extra == extra


def test_every_member_of_an_answer_is_read(driver: Driver) -> None:
    assert driver.client(Service(status=[fails("NSFW", "no")])).status("task_1") == Task(
        id="task_1",
        state="failed",
        fail_code="NSFW",
        fail_msg="no",
        create_time_ms=1,
        complete_time_ms=31_000,
        cost_time_ms=30_000,
    )


def test_an_answer_about_another_task_is_refused(driver: Driver) -> None:
    client = driver.client(Service(status=[told("processing", "task_2")]))

    for ask in (client.status, client.wait):
        with pytest.raises(UnexpectedResponse, match="task_1"):
            ask("task_1")


@pytest.mark.parametrize("answer", [breaks(httpx.ReadTimeout), says(503)], ids=["lost", "503"])
def test_a_service_that_stays_away_until_the_deadline_is_a_timeout_that_names_its_cause(
    driver: Driver, time: VirtualTime, answer: Answer
) -> None:
    began_s = time.now_s

    with pytest.raises(WaitTimeout) as caught:
        driver.client(Service(status=[answer]), time, max_retries=99).wait("task_1", timeout=50)

    assert isinstance(caught.value.__cause__, ApiTimeout | ServerError)
    assert time.now_s - began_s == pytest.approx(50)


ENDS: dict[str, tuple[Answer, type[ApixoError]]] = {
    "lost answers": (breaks(httpx.ReadTimeout), ApiTimeout),
    "a proxy in trouble": (says(502), ServerError),
    "a long way off": (says(429, headers={"Retry-After": "9999"}), RateLimited),
    "no sense": (raw(200, b"{"), UnexpectedResponse),
    "no end": (PROCESSING, WaitTimeout),
}


@pytest.mark.parametrize(("answer", "kind"), ENDS.values(), ids=ENDS)
def test_whatever_ends_a_generation_keeps_the_task(
    driver: Driver, answer: Answer, kind: type[ApixoError]
) -> None:
    with pytest.raises(kind) as caught:
        driver.client(Service(submit=[accepts()], status=[answer])).generate("a fox")

    assert caught.value.task is not None
    assert caught.value.task.id == "task_1"


def test_each_answer_is_told_while_it_goes_on(driver: Driver) -> None:
    seen: list[Task] = []
    client = driver.client(Service(submit=[accepts()], status=[PROCESSING, succeeds()]))

    generation = client.generate("a fox", on_update=seen.append)

    assert [task.state for task in seen] == ["pending", "processing", "success"]
    assert generation.task is seen[-1]
    assert generation.urls == generation.task.result_urls


def test_an_error_of_the_callers_own_function_is_the_callers(driver: Driver) -> None:
    def refuse(task: Task) -> None:
        raise KeyError(task.id)

    with pytest.raises(KeyError):
        driver.client(Service(submit=[accepts()])).generate("a fox", on_update=refuse)
