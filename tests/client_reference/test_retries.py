"""Which errors are retried, how often, and with which pauses."""

from collections.abc import Callable
from email.utils import formatdate
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApiTimeout,
    ApixoError,
    AuthenticationError,
    Client,
    InvalidRequest,
    NotFound,
    RateLimited,
    ServerError,
    Task,
    TransportError,
    WaitTimeout,
)
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    Answer,
    Service,
    VirtualTime,
    accepts,
    breaks,
    says,
    succeeds,
    told,
)

WORTHY = [
    *(pytest.param(says(code), id=str(code)) for code in (429, 500, 502, 503, 504)),
    *(
        pytest.param(breaks(error), id=error.__name__)
        for error in (
            httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError,
            httpx.ConnectTimeout, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("failure", WORTHY)
def test_status_request_is_retried_after_a_transient_error(
    driver: Driver, time: VirtualTime, failure: Answer
) -> None:
    service = Service(status=[failure, failure, told("processing")])

    task = driver.client(service, time).status("task_1")

    assert task.state == "processing"
    assert len(service.requests) == 3
    assert len(time.pauses) == 2


@pytest.mark.parametrize("retries", [0, 1, 4, 7])
def test_balance_request_is_retried_max_retries_times(
    driver: Driver, time: VirtualTime, retries: int
) -> None:
    service = Service(balance=[says(503)])

    with pytest.raises(ServerError):
        driver.client(service, time, max_retries=retries).balance()

    assert len(service.requests) == retries + 1
    assert len(time.pauses) == retries


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthenticationError),
        (404, NotFound),
        (501, ServerError),
        (505, ServerError),
    ],
)
def test_permanent_error_is_not_retried(
    driver: Driver, time: VirtualTime, code: int, kind: type[ApixoError]
) -> None:
    service = Service(status=[says(code)])

    with pytest.raises(kind):
        driver.client(service, time).status("task_1")

    assert len(service.requests) == 1
    assert time.pauses == []


@given(retries=st.integers(1, 9))
def test_pauses_between_retries_double_with_jitter(driver: Driver, retries: int) -> None:
    time = VirtualTime()

    with pytest.raises(ServerError):
        driver.client(Service(balance=[says(500)]), time, max_retries=retries).balance()

    expected = [min(30.0, 2.0**number) for number in range(retries)]
    assert all(
        least <= pause <= 1.5 * least for least, pause in zip(expected, time.pauses, strict=True)
    )
    assert all(before < after for before, after in pairwise(time.pauses[:5]))


def test_two_clients_have_different_pauses(driver: Driver) -> None:
    times = [VirtualTime(), VirtualTime()]
    for time in times:
        with pytest.raises(ServerError):
            driver.client(Service(balance=[says(500)]), time).balance()

    assert times[0].pauses != times[1].pauses


@pytest.mark.parametrize("code", [429, 503])
@given(seconds=st.integers(0, 3600))
def test_retry_after_is_waited_in_full(driver: Driver, code: int, seconds: int) -> None:
    time = VirtualTime()
    refusal = says(code, headers={"Retry-After": str(seconds)})
    client = driver.client(Service(balance=[refusal, says(200, 74.87)]), time)

    client.balance()

    assert time.pauses == [seconds]


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_date_is_waited_for(driver: Driver, code: int, time: VirtualTime) -> None:
    headers = {"Retry-After": formatdate(time.now_s + 90, usegmt=True)}
    client = driver.client(Service(balance=[says(code, headers=headers), says(200, 1)]), time)

    client.balance()

    assert time.pauses == [90.0]


@pytest.mark.parametrize("value", ["soon", "", "-5", "nan", "inf", "Mon, 99 Foo 2030", "1e999"])
def test_invalid_retry_after_uses_the_default_pauses(
    driver: Driver, time: VirtualTime, value: str
) -> None:
    refusal = says(429, headers={"Retry-After": value})
    client = driver.client(Service(balance=[refusal, says(200, 1)]), time)

    client.balance()

    assert len(time.pauses) == 1
    assert 1 <= time.pauses[0] <= 1.5


CALLS: dict[str, Callable[[Client], object]] = {
    "status": lambda client: client.status("task_1"),
    "balance": lambda client: client.balance(),
    "submit": lambda client: client.submit("a fox"),
    "generate": lambda client: client.generate("a fox"),
    "wait": lambda client: client.wait("task_1"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_retry_after_past_the_deadline_is_raised_at_once(
    driver: Driver, time: VirtualTime, call: Callable[[Client], object]
) -> None:
    refusal = says(429, headers={"Retry-After": "999999"})
    service = Service(status=[refusal], balance=[refusal], submit=[refusal])

    with pytest.raises(RateLimited) as caught:
        call(driver.client(service, time))

    assert caught.value.retry_after == 999_999
    assert len(service.requests) == 1
    assert time.pauses == []


def test_retry_after_up_to_the_deadline_is_waited(driver: Driver, time: VirtualTime) -> None:
    refusal = says(429, headers={"Retry-After": "10"})
    service = Service(status=[refusal, succeeds()])

    task = driver.client(service, time).wait("task_1", timeout=10)

    assert task.state == "success"
    assert time.pauses == [10]


@pytest.mark.parametrize(
    ("error", "kind", "was_sent"),
    [
        (httpx.ConnectError, TransportError, False),
        (httpx.ConnectTimeout, ApiTimeout, False),
        (httpx.PoolTimeout, ApiTimeout, False),
        (httpx.ReadTimeout, ApiTimeout, True),
        (httpx.ReadError, TransportError, True),
    ],
)
def test_timeout_is_told_apart_from_a_lost_connection(
    driver: Driver, error: type[httpx.TransportError], kind: type[TransportError], *, was_sent: bool
) -> None:
    with pytest.raises(TransportError) as caught:
        driver.client(Service(balance=[breaks(error, "it broke")]), max_retries=0).balance()

    assert type(caught.value) is kind
    assert caught.value.was_sent == was_sent
    assert "it broke" in str(caught.value)


def test_request_timeout_is_that_of_the_client(driver: Driver) -> None:
    service = Service(balance=[says(200, 1)])

    driver.client(service, timeout=7).balance()

    assert set(service.requests[0].extensions["timeout"].values()) == {7}


def test_request_timeout_ends_at_the_deadline(driver: Driver) -> None:
    service = Service(status=[told("processing")])

    with pytest.raises(WaitTimeout):
        driver.client(service, timeout=30).wait("task_1", timeout=12)

    limits = [request.extensions["timeout"]["read"] for request in service.requests]
    assert limits == [12, 9, 6, 3, 2]


def test_transient_errors_do_not_end_a_generation(driver: Driver, time: VirtualTime) -> None:
    service = Service(
        submit=[says(429, headers={"Retry-After": "5"}), accepts()],
        status=[breaks(httpx.ReadError), says(502), told("processing"), says(500), succeeds()],
    )

    generation = driver.client(service, time).generate("a fox")

    assert generation.task == Task(
        id="task_1",
        state="success",
        result_urls=generation.urls,
        create_time_ms=1,
        complete_time_ms=31_000,
        cost_time_ms=30_000,
    )
    assert time.pauses[:2] == [5, 20]
