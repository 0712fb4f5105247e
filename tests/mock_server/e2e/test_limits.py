"""Both limits of a key (LIM-1 … LIM-5), with the clock in the test's hand."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api
from tests.mock_server.e2e.serving import RunningMock

COUNTED = {
    "submit": ("POST", SUBMIT, b'{"input":{"prompt":"a fox"}}'),
    "status": ("GET", f"{STATUS}?taskId=task_1", None),
    "balance": ("GET", BALANCE, None),
    "bad-request": ("POST", SUBMIT, b"{}"),
    "no-task-id": ("GET", STATUS, None),
    "unknown-model": ("POST", "/api/v1/generateTask/flux", b"{}"),
}
every_counted = pytest.mark.parametrize(
    ("method", "path", "content"), COUNTED.values(), ids=COUNTED
)


def is_over_rate(answer: httpx.Response) -> bool:
    return answer.status_code == 429 and "requests" in answer.json()["data"]["error"]


def is_over_concurrency(answer: httpx.Response) -> bool:
    return answer.status_code == 429 and "tasks" in answer.json()["data"]["error"]


def try_submit(api: Api, prompt: str = "a fox") -> httpx.Response:
    return api.try_submit({"input": {"prompt": prompt}})


@every_counted
def test_every_request_to_the_provider_counts(
    api: Api, method: str, path: str, content: bytes | None
) -> None:
    api.change(rate_limit=2)
    api.send(method, path, content=content)
    api.send("GET", BALANCE)

    assert is_over_rate(api.send("GET", BALANCE))


@every_counted
def test_over_the_limit_every_request_is_refused(
    api: Api, method: str, path: str, content: bytes | None
) -> None:
    api.change(rate_limit=1)
    api.send("GET", BALANCE)

    refused = api.send(method, path, content=content)

    assert is_over_rate(refused)
    assert (refused.json()["code"], refused.json()["message"]) == (429, "Rate limit exceeded")
    assert refused.headers["retry-after"] == "60"


def test_the_place_of_each_request_comes_back_sixty_seconds_later(api: Api) -> None:
    api.change(rate_limit=3)
    for _ in range(3):  # at 0, 10 and 20 seconds
        api.balance()
        api.advance(10)
    api.advance("29999ms")
    before = api.send("GET", BALANCE)
    api.advance("1ms")
    first_place = api.send("GET", BALANCE)
    no_second = api.send("GET", BALANCE)

    assert is_over_rate(before)
    assert before.headers["retry-after"] == "1"
    assert first_place.status_code == 200
    assert no_second.headers["retry-after"] == "10"


def test_exactly_as_many_pass_as_the_limit_says_however_many_come_at_once(api: Api) -> None:
    api.change(rate_limit=25)
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: api.send("GET", BALANCE), range(60)))

    assert sum(answer.status_code == 200 for answer in answers) == 25
    assert sum(is_over_rate(answer) for answer in answers) == 35


def test_waiting_as_long_as_retry_after_says_is_enough(api: Api) -> None:
    api.change(rate_limit=1)
    api.balance()
    api.advance("12300ms")
    refused = api.send("GET", BALANCE)

    api.advance(int(refused.headers["retry-after"]))

    assert api.send("GET", BALANCE).status_code == 200


def test_a_refused_request_does_not_count(api: Api) -> None:
    api.change(rate_limit=1)
    api.balance()
    for _ in range(20):
        api.advance(3)
        last = api.send("GET", BALANCE)

    assert last.status_code == 200


def test_a_request_without_a_valid_key_counts_to_nobody(mock: RunningMock, api: Api) -> None:
    api.change(rate_limit=1)
    for authorization in (f"Basic {api.key}", api.key, ""):
        mock.http.get(BALANCE, headers={"Authorization": authorization})

    assert api.send("GET", BALANCE).status_code == 200


def test_downloads_and_control_do_not_count(api: Api) -> None:
    task_id = api.submit("[[mock pending=0 processing=0]] a fox")
    [url] = api.result_urls(task_id)
    api.change(rate_limit=3)
    for _ in range(5):
        api.http.get(url)
        api.told("GET", "sandbox")

    assert api.send("GET", BALANCE).status_code == 200


def test_a_smaller_limit_counts_what_came_before(api: Api) -> None:
    for _ in range(5):
        api.balance()
    api.change(rate_limit=5)

    assert is_over_rate(api.send("GET", BALANCE))


def test_one_more_task_than_may_run_at_once_is_refused(api: Api) -> None:
    api.change(max_concurrent=2)
    api.submit()
    running = api.submit()

    refused = try_submit(api)

    assert is_over_concurrency(refused)
    assert api.ask(running).status_code == 200


@pytest.mark.parametrize("outcome", ["success", "failed"])
def test_the_place_of_a_task_comes_back_when_it_ends(api: Api, outcome: str) -> None:
    api.change(max_concurrent=1)
    task_id = api.submit("[[mock hold]] a fox")
    refused = try_submit(api)
    api.finish(task_id, state=outcome)

    assert is_over_concurrency(refused)
    assert try_submit(api).status_code == 200
    assert is_over_concurrency(try_submit(api))


def test_a_full_house_says_when_its_next_task_ends(api: Api) -> None:
    api.change(max_concurrent=1)
    api.submit("[[mock pending=2s processing=5500ms]] a fox")
    refused = try_submit(api)
    api.advance(7)
    still_refused = try_submit(api)
    api.advance(int(still_refused.headers["retry-after"]))

    assert refused.headers["retry-after"] == "8"
    assert still_refused.headers["retry-after"] == "1"
    assert try_submit(api).status_code == 200


def test_a_full_house_of_held_tasks_says_to_wait_a_second(api: Api) -> None:
    api.change(max_concurrent=1)
    api.submit("[[mock hold]] a fox")

    assert try_submit(api).headers["retry-after"] == "1"


def test_a_submit_refused_for_too_many_tasks_does_not_count(api: Api) -> None:
    """LIM-4: requests answered 429 are not counted, whichever limit they met."""
    api.change(max_concurrent=1, rate_limit=2)
    api.submit("[[mock hold]] a fox")
    refused = [try_submit(api) for _ in range(3)]

    assert all(is_over_concurrency(answer) for answer in refused)
    assert api.send("GET", BALANCE).status_code == 200


def test_retry_after_can_be_left_out(api: Api) -> None:
    api.change(max_concurrent=1, rate_limit=2, retry_after=False)
    api.submit("[[mock hold]] a fox")
    over_concurrency = try_submit(api)
    api.send("GET", BALANCE)
    over_rate = api.send("GET", BALANCE)

    assert (over_concurrency.status_code, over_rate.status_code) == (429, 429)
    assert "retry-after" not in over_concurrency.headers
    assert "retry-after" not in over_rate.headers


def test_the_limits_of_the_contract_hold_by_default(api: Api) -> None:
    settings = api.told("GET", "sandbox")["settings"]

    assert (settings["rate_limit"], settings["max_concurrent"]) == (10_000, 1_000)
