"""Generate by callback polls only if no callback arrives (CB-1 … CB-5, TIM-3)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ContentViolation,
    Polling,
    Receiver,
    Task,
    WaitTimeout,
)
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    RESULT_URL,
    Service,
    VirtualTime,
    accepts,
    fails,
    succeeds,
    told,
)

ENDED = Task(id="task_1", state="success", result_urls=(RESULT_URL,))


class FakeReceiver:
    """Has a task's end from some instant on."""

    def __init__(self, time: VirtualTime, comes_after_s: float, task: Task = ENDED) -> None:
        self._time = time
        self._comes_s = time.now_s + comes_after_s
        self._task = task
        self.url = "https://receiver.example/token"

    def received(self, task_id: str) -> Task | None:
        is_there = task_id == self._task.id and self._time.now_s >= self._comes_s
        return self._task if is_there else None


NEVER = float("inf")


@given(comes_after_ms=st.integers(0, 59_000))
def test_callback_in_time_needs_no_status_request(driver: Driver, comes_after_ms: int) -> None:
    time = VirtualTime()
    began_s = time.now_s
    service = Service(submit=[accepts()])
    receiver = FakeReceiver(time, comes_after_ms / 1000)

    generation = driver.client(service, time).generate("a fox", via="callback", receiver=receiver)

    assert generation.urls == (RESULT_URL,)
    assert len(service.requests) == 1
    assert 0 <= time.now_s - began_s - comes_after_ms / 1000 <= 0.5


def test_callback_url_defaults_to_the_receiver(driver: Driver, time: VirtualTime) -> None:
    service = Service(submit=[accepts()])
    receiver = FakeReceiver(time, 0)
    client = driver.client(service, time)

    client.generate("a fox", via="callback", receiver=receiver)
    client.generate(
        "a fox", via="callback", receiver=receiver, callback_url="https://mine.example/"
    )

    first, second = (json.loads(request.content) for request in service.requests)
    assert (first["request_type"], first["callback_url"]) == ("callback", receiver.url)
    assert second["callback_url"] == "https://mine.example/"


@pytest.mark.parametrize("comes_after_s", [NEVER, 60.5])
def test_polling_starts_after_twice_the_usual_duration_without_callback(
    driver: Driver, time: VirtualTime, comes_after_s: float
) -> None:
    began_s = time.now_s
    asked_s: list[float] = []

    def answer(request: Any) -> Any:
        asked_s.append(time.now_s - began_s)
        return (told("processing") if len(asked_s) < 3 else succeeds())(request)

    service = Service(submit=[accepts()], status=[answer])
    receiver = FakeReceiver(time, comes_after_s)

    generation = driver.client(service, time).generate("a fox", via="callback", receiver=receiver)

    assert generation.task.state == "success"
    assert asked_s[0] == pytest.approx(60)
    assert asked_s[1] - asked_s[0] >= 3


def test_callback_wait_follows_the_polling_settings(driver: Driver, time: VirtualTime) -> None:
    service = Service(submit=[accepts()], status=[succeeds()])
    client = driver.client(service, time, polling=Polling(first_s=4, usual_s=5))

    client.generate("a fox", via="callback", receiver=FakeReceiver(time, NEVER))

    assert sum(time.pauses) == 10


def test_deadline_before_the_callback_raises_wait_timeout(
    driver: Driver, time: VirtualTime
) -> None:
    service = Service(submit=[accepts()], status=[told("processing")])
    receiver = FakeReceiver(time, NEVER)

    with pytest.raises(WaitTimeout) as caught:
        driver.client(service, time).generate(
            "a fox", via="callback", receiver=receiver, timeout=7.2
        )

    assert sum(time.pauses) == pytest.approx(7.2)
    assert caught.value.task.id == "task_1"
    assert len(service.asked("status")) == 1


def test_callback_of_a_failed_task_raises_task_failed(driver: Driver, time: VirtualTime) -> None:
    failed = Task(id="task_1", state="failed", fail_code="CONTENT_VIOLATION", fail_msg="no")
    receiver = FakeReceiver(time, 3, failed)

    with pytest.raises(ContentViolation, match="no"):
        driver.client(Service(submit=[accepts()]), time).generate(
            "a fox", via="callback", receiver=receiver
        )


def test_callback_of_another_task_is_ignored(driver: Driver, time: VirtualTime) -> None:
    other = Task(id="task_2", state="success", result_urls=(RESULT_URL,))
    service = Service(submit=[accepts()], status=[fails("CONTENT_VIOLATION")])

    with pytest.raises(ContentViolation):
        driver.client(service, time).generate(
            "a fox", via="callback", receiver=FakeReceiver(time, 0, other)
        )


def test_on_update_gets_the_task_of_the_callback(driver: Driver, time: VirtualTime) -> None:
    seen: list[Task] = []

    driver.client(Service(submit=[accepts()]), time).generate(
        "a fox", via="callback", receiver=FakeReceiver(time, 3), on_update=seen.append
    )

    assert [task.state for task in seen] == ["pending", "success"]


MISUSES: dict[str, tuple[str, Callable[[Receiver], dict[str, Any]]]] = {
    "no receiver": ("receiver", lambda receiver: {"via": "callback"}),
    "a receiver for polling": ("receiver", lambda receiver: {"receiver": receiver}),
    "another way": ("via", lambda receiver: {"via": "pigeon", "receiver": receiver}),
}


@pytest.mark.parametrize(("field", "options"), MISUSES.values(), ids=MISUSES)
def test_invalid_via_is_rejected_before_anything_is_sent(
    driver: Driver,
    time: VirtualTime,
    field: str,
    options: Callable[[Receiver], dict[str, Any]],
) -> None:
    service = Service()

    with pytest.raises(ValueError, match=f"^{field}: "):
        driver.client(service, time).generate("a fox", **options(FakeReceiver(time, 0)))

    assert service.requests == []


def test_callback_url_works_without_a_receiver(driver: Driver, time: VirtualTime) -> None:
    service = Service(submit=[accepts()], status=[succeeds()])

    driver.client(service, time).generate("a fox", callback_url="https://mine.example/")

    assert json.loads(service.requests[0].content)["callback_url"] == "https://mine.example/"
    assert time.pauses == [20]
