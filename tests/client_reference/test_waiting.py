"""`wait` polls as advised, ends at its deadline, and its errors have the task (TIM-2)."""

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


def test_first_status_request_is_after_20_s_and_the_next_every_3_s(
    driver: Driver, time: VirtualTime
) -> None:
    service = Service(submit=[accepts()], status=[told("pending"), *[PROCESSING] * 2, succeeds()])

    driver.client(service, time).generate("a fox")

    assert time.pauses == [20, 3, 3, 3]


def test_wait_pauses_grow_after_the_usual_duration(driver: Driver, time: VirtualTime) -> None:
    service = Service(submit=[accepts()], status=[*[PROCESSING] * 30, succeeds()])

    driver.client(service, time).generate("a fox", timeout=600)

    assert time.pauses[:5] == [20, 3, 3, 3, 3]
    assert all(before < after or before == 15 for before, after in pairwise(time.pauses[4:]))
    assert max(time.pauses[1:]) == 15


def test_time_since_the_submit_shortens_the_first_pause(driver: Driver, time: VirtualTime) -> None:
    client = driver.client(Service(submit=[accepts()], status=[PROCESSING, succeeds()]), time)
    task = client.submit("a fox")
    time.now_s += 12

    client.wait(task)

    assert time.pauses == [8, 3]


def test_clock_set_back_after_the_submit_delays_nothing(driver: Driver, time: VirtualTime) -> None:
    client = driver.client(Service(submit=[accepts()], status=[succeeds()]), time)
    task = client.submit("a fox")
    time.now_s -= 3600

    client.wait(task)

    assert time.pauses == [20]


@pytest.mark.parametrize(
    "task", ["task_1", Task(id="task_1", state="processing")], ids=["id", "task"]
)
def test_task_of_another_program_is_polled_at_once(
    driver: Driver, time: VirtualTime, task: Task | str
) -> None:
    client = driver.client(Service(status=[PROCESSING, succeeds()]), time)

    assert client.wait(task).state == "success"
    assert time.pauses == [3]


@pytest.mark.parametrize("state", ["success", "failed"])
def test_wait_for_a_final_task_sends_nothing(driver: Driver, state: str) -> None:
    service = Service()
    task = Task(id="task_1", state=state)

    assert driver.client(service).wait(task, timeout=0) is task
    assert service.requests == []


@given(timeout_ms=st.integers(0, 400_000))
def test_last_status_request_is_sent_at_the_deadline(driver: Driver, timeout_ms: int) -> None:
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


def test_task_that_ends_at_the_deadline_is_returned(driver: Driver, time: VirtualTime) -> None:
    service = Service(submit=[accepts()], status=[PROCESSING, succeeds()])

    generation = driver.client(service, time).generate("a fox", timeout=21.5)

    assert time.pauses == [20, 1.5]
    assert generation.task.state == "success"


def test_wait_can_continue_after_a_timeout(driver: Driver, time: VirtualTime) -> None:
    client = driver.client(Service(submit=[accepts()], status=[PROCESSING, succeeds()]), time)
    with pytest.raises(WaitTimeout) as caught:
        client.generate("a fox", timeout=10)

    task = client.wait(caught.value.task)

    assert task.state == "success"
    assert time.pauses == [10, 10]


@pytest.mark.parametrize("clock", [lambda: 1e9, iter(range(10**9, 0, -3600)).__next__])
def test_broken_clock_does_not_extend_the_deadline(
    driver: Driver, time: VirtualTime, clock: Callable[[], float]
) -> None:
    time.clock = clock  # type: ignore[method-assign]  # a clock that is broken

    with pytest.raises(WaitTimeout):
        driver.client(Service(status=[PROCESSING]), time).wait("task_1", timeout=60)

    assert sum(time.pauses) == pytest.approx(60)


@given(states=st.lists(st.text(min_size=1).filter(lambda s: s not in {"success", "failed"})))
def test_unknown_state_is_not_final(driver: Driver, states: list[str]) -> None:
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


def test_every_member_of_a_status_response_is_read(driver: Driver) -> None:
    assert driver.client(Service(status=[fails("NSFW", "no")])).status("task_1") == Task(
        id="task_1",
        state="failed",
        fail_code="NSFW",
        fail_msg="no",
        create_time_ms=1,
        complete_time_ms=31_000,
        cost_time_ms=30_000,
    )


def test_response_about_another_task_is_rejected(driver: Driver) -> None:
    client = driver.client(Service(status=[told("processing", "task_2")]))

    for ask in (client.status, client.wait):
        with pytest.raises(UnexpectedResponse, match="task_1"):
            ask("task_1")


@pytest.mark.parametrize("answer", [breaks(httpx.ReadTimeout), says(503)], ids=["lost", "503"])
def test_outage_until_the_deadline_is_a_wait_timeout_with_its_cause(
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
def test_every_error_of_generate_after_the_submit_has_the_task(
    driver: Driver, answer: Answer, kind: type[ApixoError]
) -> None:
    with pytest.raises(kind) as caught:
        driver.client(Service(submit=[accepts()], status=[answer])).generate("a fox")

    assert caught.value.task is not None
    assert caught.value.task.id == "task_1"


def test_on_update_gets_each_response(driver: Driver) -> None:
    seen: list[Task] = []
    client = driver.client(Service(submit=[accepts()], status=[PROCESSING, succeeds()]))

    generation = client.generate("a fox", on_update=seen.append)

    assert [task.state for task in seen] == ["pending", "processing", "success"]
    assert generation.task is seen[-1]
    assert generation.urls == generation.task.result_urls


def test_error_of_on_update_is_raised_unchanged(driver: Driver) -> None:
    def refuse(task: Task) -> None:
        raise KeyError(task.id)

    with pytest.raises(KeyError):
        driver.client(Service(submit=[accepts()])).generate("a fox", on_update=refuse)
