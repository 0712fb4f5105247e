"""Each rejection by the service is its error of the tree (ENV-2)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApiError,
    AuthenticationError,
    Client,
    ContentViolation,
    InsufficientCredits,
    InvalidImageUrl,
    InvalidRequest,
    NotFound,
    RateLimited,
    ServerError,
    TaskFailed,
)
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    Answer,
    Service,
    accepts,
    fails,
    raw,
    says,
)

KINDS = [
    (400, InvalidRequest),
    (401, AuthenticationError),
    (402, InsufficientCredits),
    (403, ApiError),
    (404, NotFound),
    (405, InvalidRequest),
    (409, ApiError),
    (413, InvalidRequest),
    (415, InvalidRequest),
    (418, ApiError),
    (422, InvalidRequest),
    (429, RateLimited),
    (500, ServerError),
    (503, ServerError),
    (599, ServerError),
]
every_kind = pytest.mark.parametrize(("code", "kind"), KINDS)


def refused(driver: Driver, answer: Answer) -> ApiError:
    client: Client = driver.client(Service(balance=[answer]), max_retries=0)
    with pytest.raises(ApiError) as caught:
        client.balance()
    return caught.value


@every_kind
def test_rejection_has_the_class_of_its_status(
    driver: Driver, code: int, kind: type[ApiError]
) -> None:
    error = refused(driver, says(code, {"error": "a detail"}, message="a reason"))

    assert type(error) is kind
    assert (error.status, error.code, error.message) == (code, code, "a reason")
    assert error.detail == "a detail"
    assert error.response.status_code == code
    assert str(error) == f"{code} a reason: a detail"


@every_kind
def test_rejection_inside_a_200_has_the_class_of_its_code(
    driver: Driver, code: int, kind: type[ApiError]
) -> None:
    error = refused(driver, says(code, status=200, message="a reason"))

    assert type(error) is kind
    assert (error.status, error.code) == (200, code)
    assert str(error) == f"200/{code} a reason"


@every_kind
def test_rejection_by_a_proxy_has_the_class_of_its_status(
    driver: Driver, code: int, kind: type[ApiError]
) -> None:
    error = refused(driver, raw(code, b"<html>no</html>"))

    assert type(error) is kind
    assert error.detail is None
    assert error.message


def test_http_status_takes_precedence_over_the_code(driver: Driver) -> None:
    assert type(refused(driver, says(401, status=404))) is NotFound


@pytest.mark.parametrize("code", [400, 402])
@pytest.mark.parametrize("place", ["message", "detail"])
def test_insufficient_credit_is_recognised_with_either_status(
    driver: Driver, code: int, place: str
) -> None:
    words = "Insufficient credits"
    answer = says(code, message=words) if place == "message" else says(code, {"error": words})

    assert type(refused(driver, answer)) is InsufficientCredits


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (None, None),
        ([], None),
        ({"error": "input.prompt is missing"}, "input.prompt is missing"),
        ({"error": 7}, '{"error": 7}'),
        ({"reason": "x"}, '{"reason": "x"}'),
    ],
)
def test_detail_is_the_error_member_of_data(
    driver: Driver, data: object, detail: str | None
) -> None:
    assert refused(driver, says(400, data)).detail == detail


@given(retry_after=st.integers(0, 10**9), code=st.sampled_from([429, 500, 503]))
def test_temporary_rejection_has_retry_after(driver: Driver, retry_after: int, code: int) -> None:
    error = refused(driver, says(code, headers={"Retry-After": str(retry_after)}))

    assert isinstance(error, RateLimited | ServerError)
    assert error.retry_after == retry_after


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    envelope=anything
    | st.fixed_dictionaries({}, optional={"code": anything, "message": anything, "data": anything}),
    status=st.sampled_from([code for code, _ in KINDS]),
)
def test_http_status_decides_whatever_the_body_contains(
    driver: Driver, envelope: object, status: int
) -> None:
    error = refused(driver, raw(status, json.dumps(envelope).encode()))

    assert type(error) in {dict(KINDS)[status], InsufficientCredits}
    assert str(error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("CONTENT_VIOLATION", ContentViolation),
        ("INVALID_IMAGE_URL", InvalidImageUrl),
        ("GENERATION_FAILED", TaskFailed),
        ("some code of the future", TaskFailed),
    ],
)
def test_failed_task_is_raised_with_its_fail_code(
    driver: Driver, code: str, kind: type[TaskFailed]
) -> None:
    client = driver.client(Service(submit=[accepts()], status=[fails(code, "sorry")]))

    with pytest.raises(TaskFailed) as caught:
        client.generate("a fox")

    assert type(caught.value) is kind
    assert (caught.value.fail_code, caught.value.fail_msg) == (code, "sorry")
    assert caught.value.task.fail_code == code
    assert str(caught.value) == f"task task_1 failed: {code}: sorry"


def test_task_may_fail_without_a_fail_code(driver: Driver) -> None:
    answer = says(200, {"taskId": "task_1", "state": "failed"})

    with pytest.raises(TaskFailed, match="no fail code") as caught:
        driver.client(Service(submit=[accepts()], status=[answer])).generate("a fox")

    assert caught.value.fail_code is None


def test_wait_returns_a_failed_task(driver: Driver) -> None:
    task = driver.client(Service(status=[fails("CONTENT_VIOLATION")])).wait("task_1")

    assert task.is_final
    assert task.fail_code == "CONTENT_VIOLATION"
