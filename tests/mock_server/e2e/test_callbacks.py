"""Callbacks: what is sent, when, and to whom (CB-1 … CB-6)."""

import json
import select

import pytest

from tests.mock_server.conftest import MakeReceiver
from tests.mock_server.e2e.api import SUBMIT, Api
from tests.mock_server.e2e.receiver import Answer, Receiver
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.e2e.wire import connected, read_answer

BY_PLAN = "[[mock pending=1s processing=4s]] a fox"


@pytest.mark.parametrize("directive", ["", "[[mock fail=CONTENT_VIOLATION]]"])
def test_the_payload_is_what_a_status_request_is_answered_at_that_instant(
    api: Api, receiver: Receiver, directive: str
) -> None:
    task_id = api.submit(f"{BY_PLAN} {directive}", callback_url=receiver.url(), num_images=2)
    receiver.note = lambda: api.ask(task_id).content
    api.advance("3m")

    [delivery] = receiver.received

    assert delivery.body == delivery.noted == api.ask(task_id).content
    assert json.loads(delivery.body)["data"]["state"] == ("failed" if directive else "success")


def test_the_receiver_sees_the_clock_at_the_very_instant_of_the_end(
    api: Api, receiver: Receiver
) -> None:
    began_ms = api.now_ms()
    task_id = api.submit(BY_PLAN, callback_url=receiver.url())
    receiver.note = api.now_ms
    api.advance("3m")

    assert receiver.received[0].noted == began_ms + 5000
    assert api.status(task_id)["completeTime"] == began_ms + 5000
    assert api.now_ms() == began_ms + 180_000


def test_a_moving_clock_stands_at_that_instant_as_well_while_it_is_advanced(
    api: Api, receiver: Receiver
) -> None:
    api.go_real(1000)
    task_id = api.submit("[[mock pending=0 processing=1d]]", callback_url=receiver.url())
    receiver.note = lambda: [api.now_ms() for _ in range(20)]
    api.advance("2d")

    assert receiver.received[0].noted == [api.status(task_id)["completeTime"]] * 20


def test_a_delivery_is_a_post_of_json_without_the_key(api: Api, receiver: Receiver) -> None:
    api.submit(BY_PLAN, callback_url=receiver.url("/hook/a%20b?x=1&y=%26"))
    api.advance(5)

    [delivery] = receiver.received

    assert delivery.path == "/hook/a%20b?x=1&y=%26"
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.headers["content-length"] == str(len(delivery.body))
    assert api.key not in str(delivery)
    assert "authorization" not in delivery.headers


def test_nothing_is_sent_before_the_task_has_ended(api: Api, receiver: Receiver) -> None:
    api.submit(BY_PLAN, callback_url=receiver.url())

    assert api.advance("4999ms") == []
    assert receiver.received == []
    assert [each["status"] for each in api.advance("1ms")] == [200]


def test_a_delivered_callback_is_not_sent_again(api: Api, receiver: Receiver) -> None:
    api.submit(BY_PLAN, callback_url=receiver.url())
    api.advance(5)

    assert api.advance("30d") == []
    assert len(receiver.received) == 1


def test_a_task_that_ends_at_once_is_delivered_after_its_submit_is_answered(
    mock: RunningMock, api: Api, receiver: Receiver
) -> None:
    body = json.dumps(
        {
            "request_type": "callback",
            "callback_url": receiver.url(),
            "input": {"prompt": "[[mock pending=0 processing=0]] a fox"},
        }
    )
    head = (
        f"POST {SUBMIT} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {api.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with connected(mock) as line:
        receiver.note = lambda: select.select([line], [], [], 0)[0] == [line]
        line.sendall((head + body).encode())
        [delivery] = receiver.wait_for(1)
        answer, _ = read_answer(line)

    assert delivery.noted is True, "the answer to the submit was not there yet"
    assert answer.status == 200


def test_an_async_task_is_not_called_back_even_with_an_address(
    api: Api, receiver: Receiver
) -> None:
    for request_type in ({}, {"request_type": "async"}, {"request_type": None}):
        body = {"callback_url": receiver.url(), "input": {"prompt": BY_PLAN}}
        assert api.try_submit(body | request_type).status_code == 200

    assert api.advance("1d") == []
    assert receiver.received == []
    assert api.deliveries() == []


def test_a_callback_task_can_be_polled_as_well(api: Api, receiver: Receiver) -> None:
    task_id = api.submit(BY_PLAN, callback_url=receiver.url())
    states = []
    for _ in range(3):
        states.append(api.status(task_id)["state"])
        api.advance(3)

    assert states == ["pending", "processing", "success"]
    assert len(receiver.received) == 1


def test_a_status_request_that_ends_its_task_sets_off_the_delivery(
    api: Api, receiver: Receiver
) -> None:
    task_id = api.submit("[[mock polls=1]] a fox", callback_url=receiver.url())

    answer = api.ask(task_id)

    assert receiver.wait_for(1)[0].body == answer.content


def test_finishing_a_task_sets_off_the_delivery_though_time_stands_still(
    api: Api, receiver: Receiver
) -> None:
    task_id = api.submit(BY_PLAN, callback_url=receiver.url())
    api.finish(task_id, state="failed", failCode="NSFW_DETECTED")

    [delivery] = receiver.wait_for(1)

    assert json.loads(delivery.body)["data"]["failCode"] == "NSFW_DETECTED"
    assert delivery.body == api.ask(task_id).content
    assert api.advance("1d") == []


def test_advance_reports_what_it_has_fired_in_order_of_time(
    api: Api, make_receiver: MakeReceiver
) -> None:
    first, second = make_receiver(), make_receiver()
    second.answer(500)
    began_ms = api.now_ms()
    late = api.submit("[[mock pending=0 processing=40s]]", callback_url=first.url())
    early = api.submit("[[mock pending=0 processing=2s]]", callback_url=second.url())
    api.submit("[[mock pending=0 processing=10m]]", callback_url=first.url())

    answer = api.told("POST", "clock/advance", {"seconds": 60})

    assert (answer["from_ms"], answer["now_ms"]) == (began_ms, began_ms + 60_000)
    assert [
        (each["at_ms"] - began_ms, each["task_id"], each["attempt"], each["status"], each["error"])
        for each in answer["fired"]
    ] == [
        (2_000, early, 1, 500, None),
        (32_000, early, 2, 200, None),
        (40_000, late, 1, 200, None),
    ]


def test_receivers_are_called_in_order_of_time(api: Api, receiver: Receiver) -> None:
    for second in (5, 3, 8, 1):
        api.submit(
            f"[[mock pending=0 processing={second}s]]", callback_url=receiver.url(f"/{second}")
        )
    api.advance("3m")

    assert [delivery.path for delivery in receiver.received] == ["/1", "/3", "/5", "/8"]


def test_dropping_the_sandbox_drops_what_is_still_to_be_delivered(
    api: Api, receiver: Receiver
) -> None:
    receiver.answer(500)
    api.submit(BY_PLAN, callback_url=receiver.url())
    api.submit("[[mock pending=0 processing=1h]]", callback_url=receiver.url())
    api.advance(5)
    api.control("DELETE", "sandbox")

    assert api.deliveries() == []
    assert api.advance("1d") == []
    assert len(receiver.received) == 1


def test_what_is_under_way_when_the_sandbox_is_dropped_ends_unheard(
    api: Api, receiver: Receiver
) -> None:
    gate = receiver.block()
    prompt = "[[mock hold]] a fox"
    task_id = api.submit(prompt, callback_url=receiver.url())
    api.finish(task_id)
    receiver.wait_for(1)
    api.control("DELETE", "sandbox")
    again = api.submit(prompt, callback_url=receiver.url())
    gate.set()
    fired = api.advance("1d")  # waits for what is under way

    assert again == task_id, "the sandbox begins again from its seed"
    assert fired == []
    assert api.deliveries()[0]["attempts"] == []
    assert "callback" not in [each["kind"] for each in api.task(again)["timeline"]]


def test_a_callback_that_comes_back_to_the_mock_itself_does_no_harm(
    mock: RunningMock, api: Api
) -> None:
    task_id = api.submit(BY_PLAN, callback_url=f"{mock.url}/_mock/health")

    [fired] = api.advance(5)

    assert fired["status"] == 405
    assert api.delivery(task_id)["state"] == "pending"


def test_the_delivery_is_listed_with_its_attempts(api: Api, receiver: Receiver) -> None:
    receiver.answer(Answer(status=503))
    began_ms = api.now_ms()
    task_id = api.submit(BY_PLAN, callback_url=receiver.url())
    waiting = api.delivery(task_id)
    api.advance(5)
    tried = api.delivery(task_id)
    api.advance(30)
    delivered = api.delivery(task_id)

    assert waiting["url"] == receiver.url()
    assert (waiting["state"], waiting["attempts"]) == ("pending", [])
    assert (tried["state"], tried["next_ms"]) == ("pending", began_ms + 35_000)
    assert (delivered["state"], delivered["next_ms"]) == ("delivered", None)
    assert [(each["at_ms"] - began_ms, each["status"]) for each in delivered["attempts"]] == [
        (5_000, 503),
        (35_000, 200),
    ]
    assert all(each["duration_ms"] >= 0 for each in delivered["attempts"])
