"""Each rejection by the service is its error of the tree (ENV-2)."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApiError,
    ApixoError,
    AuthenticationError,
    Client,
    ContentViolation,
    InsufficientCredits,
    InvalidImageUrl,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    SubmissionUncertain,
    TaskFailed,
)
from client_reference.fail_codes import KNOWN_FAIL_CODES
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
    (403, PermissionDenied),
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
    assert caught.value.task is not None
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


@every_kind
def test_error_without_data_has_no_detail(driver: Driver, code: int, kind: type[ApiError]) -> None:
    body = {"code": code, "message": "a reason"}
    error = refused(driver, raw(code, json.dumps(body).encode()))

    assert type(error) is kind
    assert (error.message, error.detail) == ("a reason", None)


FAILED_AT_ONCE = [
    pytest.param({"error": "x", "failCode": "NSFW", "failMsg": "sorry"}, "no", id="member"),
    pytest.param({"failCode": "a code of the future", "failMsg": "sorry"}, "no", id="unknown"),
    pytest.param({"failCode": "CONTENT_VIOLATION"}, "sorry", id="member-without-a-text"),
    pytest.param({"error": "INVALID_IMAGE_URL: not found"}, "sorry", id="detail"),
    pytest.param({"error": "GENERATION_FAILED"}, "sorry", id="detail-alone"),
    pytest.param(None, "ProhibitedContentDetected", id="message"),
]


@pytest.mark.parametrize("status", [400, 403, 409, 422])
@pytest.mark.parametrize(("data", "message"), FAILED_AT_ONCE)
def test_submit_rejected_with_a_fail_code_is_a_failed_task_without_a_task(
    driver: Driver, data: object, message: str, status: int
) -> None:
    service = Service(submit=[says(status, data, message=message)])

    with pytest.raises(TaskFailed) as caught:
        driver.client(service).generate("a fox")

    failure = caught.value
    assert str(failure.fail_code) in json.dumps([data, message])
    assert failure.fail_msg == ("ProhibitedContentDetected" if data is None else "sorry")
    assert failure.task is None
    assert str(failure) == f"the submit failed: {failure.fail_code}: {failure.fail_msg}"
    assert isinstance(failure.__cause__, ApiError)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [("CONTENT_VIOLATION", ContentViolation), ("INVALID_IMAGE_URL", InvalidImageUrl)],
)
def test_submit_rejected_with_a_fail_code_has_the_class_of_the_failed_task(
    driver: Driver, code: str, kind: type[TaskFailed]
) -> None:
    service = Service(submit=[says(400, {"failCode": code})])

    with pytest.raises(kind):
        driver.client(service).submit("a fox")


@pytest.mark.parametrize(
    ("status", "data", "kind"),
    [
        pytest.param(400, {"error": 'input.mode: (got "NSFW")'}, InvalidRequest, id="a-quotation"),
        pytest.param(400, {"error": "NSFW_TOO: no"}, InvalidRequest, id="an-unknown-word"),
        pytest.param(400, {"failCode": 7}, InvalidRequest, id="a-number"),
        pytest.param(400, {"error": "INSUFFICIENT_CREDITS: no"}, InsufficientCredits, id="credit"),
        pytest.param(401, {"failCode": "NSFW"}, AuthenticationError, id="401"),
        pytest.param(404, {"failCode": "NSFW"}, NotFound, id="404"),
        pytest.param(429, {"failCode": "NSFW"}, RateLimited, id="429"),
        pytest.param(500, {"failCode": "NSFW"}, SubmissionUncertain, id="500"),
    ],
)
def test_other_rejections_of_a_submit_are_no_failed_task(
    driver: Driver, status: int, data: object, kind: type[ApixoError]
) -> None:
    service = Service(submit=[says(status, data)])

    with pytest.raises(kind):
        driver.client(service, max_retries=0).submit("a fox")


def test_status_request_rejected_with_a_fail_code_is_no_failed_task(driver: Driver) -> None:
    service = Service(status=[says(400, {"failCode": "NSFW"})])

    with pytest.raises(InvalidRequest):
        driver.client(service).wait("task_1")


def test_missing_permission_is_not_retried(driver: Driver) -> None:
    service = Service(submit=[says(403, message="API key lacks permission")])

    with pytest.raises(PermissionDenied):
        driver.client(service).submit("a fox")

    assert len(service.requests) == 1


def test_client_knows_the_fail_codes_of_the_data_file() -> None:
    file = Path(__file__).parents[2] / "fixtures" / "contract" / "fail_codes.toml"

    assert tomllib.loads(file.read_text(encoding="utf-8")).keys() == KNOWN_FAIL_CODES
