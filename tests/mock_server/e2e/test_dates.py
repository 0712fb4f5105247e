"""Every answer carries the date of its sandbox's clock."""

from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api

CALLS = {
    "submit": ("POST", SUBMIT),
    "status": ("GET", STATUS),
    "balance": ("GET", BALANCE),
    "another-model": ("POST", "/api/v1/generateTask/flux"),
    "wrong-method": ("PUT", SUBMIT),
    "control": ("GET", "/_mock/sandbox"),
    "refused-control": ("POST", "/_mock/clock/advance"),
}


def second_of(answer: httpx.Response) -> int:
    assert len(answer.headers.get_list("date")) == 1
    return int(date_of(answer).timestamp())


def date_of(answer: httpx.Response) -> datetime:
    return parsedate_to_datetime(answer.headers["date"])


@pytest.mark.parametrize(("method", "path"), CALLS.values(), ids=CALLS)
def test_the_date_follows_the_clock_of_the_sandbox(api: Api, method: str, path: str) -> None:
    api.advance("1000d")
    content = b"{}" if method != "GET" else None

    answer = api.send(method, path, content=content)

    assert second_of(answer) == api.now_ms() // 1000


def test_the_date_of_a_picture_is_that_of_its_owner(api: Api, other_api: Api) -> None:
    api.advance("10d")
    [url] = api.result_urls(api.submit("[[mock pending=0 processing=0]]"))

    answer = other_api.send("GET", url)

    assert second_of(answer) == api.now_ms() // 1000


def test_the_date_stands_still_with_the_clock_and_moves_with_it(api: Api) -> None:
    first = api.send("GET", BALANCE)
    second = api.send("GET", BALANCE)
    api.advance(90)
    third = api.send("GET", BALANCE)

    assert second_of(first) == second_of(second) == second_of(third) - 90


def test_the_create_time_of_a_task_is_the_instant_of_its_submit(api: Api) -> None:
    api.advance("7d")
    answer = api.try_submit({"input": {"prompt": "a fox"}})
    now_ms = api.now_ms()
    api.advance(1)

    created_ms = api.status(answer.json()["data"]["taskId"])["createTime"]

    assert created_ms == now_ms
    assert created_ms // 1000 == second_of(answer)


def test_an_answer_to_nobody_carries_a_date_too(api: Api) -> None:
    for answer in (api.http.get(BALANCE), api.http.get("/nothing"), api.http.get("/_mock/health")):
        assert date_of(answer).utcoffset() is not None
