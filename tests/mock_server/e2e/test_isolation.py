"""Two keys do not see each other (AUTH-4)."""

import pytest

from tests.mock_server.e2e.api import BALANCE, Api


def test_a_key_does_not_find_the_task_of_another(api: Api, other_api: Api) -> None:
    task_id = api.submit()

    assert other_api.ask(task_id).status_code == 404
    assert other_api.ask(task_id).content == other_api.ask("task_1").content


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "tasks/{}"), ("POST", "tasks/{}/finish")], ids=["show", "finish"]
)
def test_control_does_not_find_the_task_of_another_key(
    api: Api, other_api: Api, method: str, path: str
) -> None:
    task_id = api.submit()

    answer = other_api.control(
        method, path.format(task_id), {"state": "success"} if method == "POST" else None
    )

    assert answer.status_code == 404
    assert api.status(task_id)["state"] == "pending"


def test_lists_and_counters_hold_what_is_the_keys_own(api: Api, other_api: Api) -> None:
    api.submit(callback_url="http://127.0.0.1:9/")
    other_api.balance()

    assert other_api.told("GET", "tasks") == {"tasks": []}
    assert other_api.deliveries() == []
    assert other_api.counters()["requests"] == 1
    assert other_api.counters()["live_tasks"] == 0


def test_limits_balance_and_settings_are_the_keys_own(api: Api, other_api: Api) -> None:
    api.change(rate_limit=1, max_concurrent=1, balance=1, generation_time=0, strict=True)
    api.balance()

    assert api.send("GET", BALANCE).status_code == 429
    assert other_api.balance() == 100_000
    assert other_api.status(other_api.submit("[[mock hold]]"))["state"] == "pending"


def test_the_clock_is_the_keys_own(api: Api, other_api: Api) -> None:
    before_ms = other_api.now_ms()
    task_id = other_api.submit()
    api.advance("1d")
    api.go_real(1000)

    assert other_api.now_ms() == before_ms
    assert other_api.status(task_id)["state"] == "pending"


def test_dropping_a_sandbox_leaves_the_other_alone(api: Api, other_api: Api) -> None:
    task_id = other_api.submit()

    assert api.control("DELETE", "sandbox").status_code == 204
    assert other_api.ask(task_id).status_code == 200
