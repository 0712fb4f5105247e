"""A response that breaks the contract is an UnexpectedResponse, which names the problem."""

import gzip
from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApiError,
    ApiTimeout,
    ApixoError,
    Client,
    InvalidRequest,
    SubmissionUncertain,
    UnexpectedResponse,
)
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    CALLS,
    RESULT_URL,
    Answer,
    Parts,
    Service,
    accepts,
    raw,
    responding,
    result_json,
    says,
    succeeds,
)

DEEP = b'{"code": 200, "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
LONGEST = 16 * 1024 * 1024


def _endless(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=Parts(*[b" " * (LONGEST // 4)] * 100))


BODIES: dict[str, Answer] = {
    "empty": raw(200, b""),
    "no content": raw(204, b""),
    "HTML": raw(200, b"<!doctype html><title>Hello</title>"),
    "half of it": raw(200, b'{"code": 200, "message": "success", "da'),
    "two of them": raw(200, b'{"code": 200, "data": {}}{}'),
    "not UTF-8": raw(200, b'{"code": 200, "data": "\xff\xfe"}'),
    "a list": raw(200, b"[]"),
    "a number": raw(200, b"200"),
    "null": raw(200, b"null"),
    "NaN": raw(200, b'{"code": 200, "data": NaN}'),
    "Infinity": raw(200, b'{"code": 200, "data": -Infinity}'),
    "too deep": raw(200, DEEP),
    "a huge number": raw(200, b'{"code": 200, "data": {"taskId": ' + b"9" * 5000 + b"}}"),
    "no data": raw(200, b'{"code": 200, "message": "success"}'),
    "data that is null": says(200, None),
    "a redirect": raw(301, b"", {"Location": RESULT_URL}),
    "bad gzip": raw(200, b"{}", {"Content-Encoding": "gzip"}),
    "half of a gzip": raw(200, gzip.compress(b"{}" * 99)[:20], {"Content-Encoding": "gzip"}),
    "a strange encoding": raw(200, b"\x00\x01", {"Content-Encoding": "br"}),
    "endless": _endless,
}
GARBLED = {
    "empty", "HTML", "half of it", "two of them", "not UTF-8", "a huge number", "bad gzip",
    "half of a gzip", "a strange encoding",
}  # fmt: skip
TRIES = 5


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("name", BODIES)
def test_unreadable_body_is_an_unexpected_response(
    driver: Driver, name: str, call: Callable[[Client], object]
) -> None:
    asked = responding(BODIES[name])

    with pytest.raises(ApixoError) as caught:
        call(driver.client(asked))

    error = caught.value.__cause__ if call is CALLS["submit"] else caught.value
    assert type(error) is UnexpectedResponse
    is_repeated = name in GARBLED and call is not CALLS["submit"]
    assert len(asked.requests) == (TRIES if is_repeated else 1)
    assert len(str(error)) < 1500


@pytest.mark.parametrize("name", sorted(GARBLED))
def test_garbled_status_response_is_retried(driver: Driver, name: str) -> None:
    asked = Service(status=[BODIES[name], succeeds()])

    assert driver.client(asked).status("task_1").state == "success"


def test_unexpected_response_names_the_problem_and_shows_the_head(driver: Driver) -> None:
    with pytest.raises(UnexpectedResponse) as caught:
        driver.client(responding(raw(200, b"<html>" + b"x" * 10_000))).status("task_1")

    assert "not a JSON object" in caught.value.problem
    assert caught.value.head.startswith("<html>xxx")
    assert len(caught.value.head) == 200
    assert "HTTP 200" in str(caught.value)
    assert "<html>xxx" in str(caught.value)
    assert caught.value.response is not None
    assert caught.value.response.status_code == 200


def status_answer(**members: object) -> Answer:
    return says(200, {"taskId": "task_1", "state": "success", **members})


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (says(200, {}), "data.state"),
        (says(200, {"state": "pending"}), "data.taskId"),
        (says(200, {"taskId": "task_1"}), "data.state"),
        (status_answer(taskId=""), "data.taskId"),
        (status_answer(taskId=7), "data.taskId"),
        (status_answer(state=""), "data.state"),
        (status_answer(state=None), "data.state"),
        (status_answer(state=["success"]), "data.state"),
        (status_answer(), "resultJson"),
        (status_answer(resultJson=None), "resultJson"),
        (status_answer(resultJson={"resultUrls": [RESULT_URL]}), "resultJson"),
        (status_answer(resultJson=""), "resultJson"),
        (status_answer(resultJson="{"), "resultJson"),
        (status_answer(resultJson="[]"), "resultJson"),
        (status_answer(resultJson="{}"), "resultUrls"),
        (status_answer(resultJson='{"resultUrls": NaN}'), "resultJson"),
        (status_answer(resultJson="[" * 100_000), "resultJson"),
        (status_answer(resultJson="\ud800"), "resultJson"),
        (status_answer(resultJson=result_json()), "resultUrls"),
        (status_answer(resultJson='{"resultUrls": "' + RESULT_URL + '"}'), "resultUrls"),
        (status_answer(resultJson=result_json(RESULT_URL, None)), "invalid result URL"),
        (status_answer(resultJson=result_json("fox.png")), "invalid result URL"),
        (status_answer(resultJson=result_json("file:///etc/passwd")), "invalid result URL"),
        (status_answer(resultJson=result_json("http://[::1")), "invalid result URL"),
        (status_answer(resultJson=result_json("")), "invalid result URL"),
        (status_answer(resultJson=result_json("http://host/\ud800")), "invalid result URL"),
        (status_answer(resultJson=result_json("http://host/ a\n")), "invalid result URL"),
        (status_answer(resultJson=result_json("http://host:99999/")), "invalid result URL"),
        (status_answer(state="failed", failCode=7), "failCode"),
        (status_answer(state="failed", failMsg=["no"]), "failMsg"),
        (status_answer(state="pending", createTime="now"), "createTime"),
        (status_answer(state="pending", completeTime=1.5), "completeTime"),
        (status_answer(state="pending", costTime=True), "costTime"),
    ],
)
def test_member_that_breaks_the_contract_is_named(
    driver: Driver, answer: Answer, problem: str
) -> None:
    with pytest.raises(UnexpectedResponse, match=problem):
        driver.client(responding(answer)).status("task_1")


@pytest.mark.parametrize("depth", [10, 300, 900, 950, 980, 1000, 2000, 100_000])
def test_rejection_may_be_nested_to_any_depth(driver: Driver, depth: int) -> None:
    body = b'{"code": 400, "data": {"a": ' + b"[" * depth + b"]" * depth + b"}}"

    with pytest.raises(InvalidRequest):
        driver.client(responding(raw(400, body))).balance()


def test_task_id_with_an_unpaired_surrogate_is_rejected(driver: Driver) -> None:
    with pytest.raises(SubmissionUncertain, match="taskId"):
        driver.client(responding(accepts("\ud800"))).generate("a fox")


def test_slow_response_is_a_timeout(driver: Driver) -> None:
    """The first part already comes after this deadline."""
    with pytest.raises(ApiTimeout, match="no complete response"):
        driver.client(responding(accepts()), timeout=1e-9, max_retries=0).status("task_1")


def test_submit_with_an_endless_response_is_uncertain(driver: Driver) -> None:
    with pytest.raises(SubmissionUncertain, match="longer than"):
        driver.client(responding(_endless)).submit("a fox")


def test_compressed_response_is_read(driver: Driver) -> None:
    body = gzip.compress(b'{"code": 200, "message": "success", "data": {"taskId": "task_1"}}')

    task = driver.client(responding(raw(200, body, {"Content-Encoding": "gzip"}))).submit("a fox")

    assert task.id == "task_1"


@pytest.mark.parametrize(
    "body", [b'"74.87"', b"true", b"null", b"[1]", b"{}", b"NaN", b"1e" + b"9" * 30]
)
def test_balance_that_is_not_a_number_is_rejected(driver: Driver, body: bytes) -> None:
    client = driver.client(responding(raw(200, b'{"code": 200, "data": ' + body + b"}")))

    with pytest.raises(UnexpectedResponse):
        client.balance()


@pytest.mark.parametrize(
    "text", ["74.87", "0", "-1.5", "0.1000000000000000055511151231257827", "1E+2"]
)
def test_balance_is_exact_to_the_last_digit(driver: Driver, text: str) -> None:
    answer = raw(200, f'{{"code": 200, "message": "success", "data": {text}}}'.encode())

    assert driver.client(responding(answer)).balance() == Decimal(text)


@given(code=st.integers(400, 599))
def test_api_error_has_no_request(driver: Driver, code: int) -> None:
    with pytest.raises(ApiError) as caught:
        driver.client(responding(says(code)), max_retries=0).balance()

    with pytest.raises(RuntimeError):
        caught.value.response.request  # noqa: B018
