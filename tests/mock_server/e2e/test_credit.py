"""What tasks cost, and keys that cannot pay (BIL-1 … BIL-3, SUB-17, FAIL-5)."""

import httpx
import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock


def try_submit(api: Api, count: int = 1) -> httpx.Response:
    return api.try_submit({"input": {"prompt": "a fox", "num_images": count}})


def is_without_credit(answer: httpx.Response, status: int) -> bool:
    body = answer.json()
    return (answer.status_code, body["code"], body["message"]) == (
        status,
        status,
        "Insufficient credits",
    )


@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_picture_has_its_price(api: Api, count: int) -> None:
    api.submit(num_images=count)
    api.advance("3m")

    assert api.balance() == round(100_000 - 0.035 * count, 6)


@pytest.mark.parametrize("how", ["directive", "control"])
def test_a_failed_task_costs_nothing_in_the_end(api: Api, how: str) -> None:
    task_id = api.submit("[[mock fail=NSFW]] a fox" if how == "directive" else "[[mock hold]]")
    held_back = api.balance()
    if how == "control":
        api.finish(task_id, state="failed")
    api.advance("3m")

    assert held_back == 99_999.965
    assert api.balance() == 100_000


def test_the_balance_is_answered_in_the_envelope(api: Api) -> None:
    api.change(balance=74.87)

    answer = api.send("GET", "/api/v1/apikeys/current-balance")

    assert answer.json() == {"code": 200, "message": "success", "data": 74.87}


def test_a_key_that_has_spent_its_balance_is_refused(api: Api) -> None:
    api.change(balance=0.105)

    statuses = [try_submit(api, count).status_code for count in (4, 2, 2, 1)]

    assert statuses == [400, 200, 400, 200]
    assert is_without_credit(try_submit(api), 400)
    assert api.balance() == 0


def test_the_price_of_a_failed_task_can_be_spent_again(api: Api) -> None:
    api.change(balance=0.035)
    api.submit("[[mock fail=NSFW processing=1s pending=0]] a fox")
    refused = try_submit(api)
    api.advance(1)

    assert is_without_credit(refused, 400)
    assert try_submit(api).status_code == 200


@pytest.mark.parametrize("key", ["sk-broke", "sk-broke-17"])
def test_a_broke_key_is_without_credit_from_the_start(serve: Serve, key: str) -> None:
    api = serve(Settings()).api(key)

    assert is_without_credit(try_submit(api), 400)
    assert api.balance() == 0


def test_the_refusal_can_have_the_status_of_the_errors_page(mock: RunningMock, api: Api) -> None:
    broke = mock.api(f"sk-broke-{api.key}")
    broke.change(insufficient_credits_status=402)
    api.change(balance=0, insufficient_credits_status=402)

    assert is_without_credit(try_submit(broke), 402)
    assert is_without_credit(try_submit(api), 402)


def test_a_key_without_credit_can_do_everything_else(mock: RunningMock, api: Api) -> None:
    task_id = api.submit()
    api.change(balance=0)

    assert api.ask(task_id).status_code == 200
    assert api.balance() == 0


def test_a_wrong_body_is_told_before_the_missing_credit(api: Api) -> None:
    api.change(balance=0)

    assert api.try_submit({}).json()["message"] == "Invalid request"


def test_balance_and_price_can_be_chosen_at_the_start(serve: Serve) -> None:
    api = serve(Settings(balance_microusd=1_000_000, price_usd=0.25)).api("sk-key")
    api.submit(num_images=2)

    assert api.balance() == 0.5
