"""Retries, blocked addresses, and receivers that fail (CB-2, CB-3)."""

import socket
from itertools import pairwise

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Answer, Receiver

AT_ONCE = "[[mock pending=0 processing=1s]] a fox"
DUE_S = [1, 31, 151, 751]  # the end, then 30 s, 2 min and 10 min later


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(status=201), id="201"),
        pytest.param(Answer(status=204), id="204"),
        pytest.param(Answer(status=302, headers={"Location": "/elsewhere"}), id="302"),
        pytest.param(Answer(status=400), id="400"),
        pytest.param(Answer(status=500), id="500"),
        pytest.param(Answer(closes=True), id="closed"),
    ],
)
def test_whatever_is_not_200_is_tried_again_three_times_and_then_has_failed(
    api: Api, receiver: Receiver, answer: Answer
) -> None:
    receiver.otherwise = answer
    began_ms = api.now_ms()
    task_id = api.submit(AT_ONCE, callback_url=receiver.url())

    fired = api.advance("1d")

    status = None if answer.closes else answer.status
    assert [(each["at_ms"] - began_ms) / 1000 for each in fired] == DUE_S
    assert [(each["attempt"], each["status"]) for each in fired] == [
        (number, status) for number in (1, 2, 3, 4)
    ]
    assert all(bool(each["error"]) == answer.closes for each in fired)
    assert api.delivery(task_id)["state"] == "failed"
    assert {each.path for each in receiver.received} == {"/hook"}


def test_every_attempt_carries_the_same_payload(api: Api, receiver: Receiver) -> None:
    receiver.answer(500, 500, 500)
    task_id = api.submit(AT_ONCE, callback_url=receiver.url())
    api.advance("1d")

    bodies = {delivery.body for delivery in receiver.received}

    assert len(receiver.received) == 4
    assert bodies == {api.ask(task_id).content}
    assert api.delivery(task_id)["state"] == "delivered"


def test_a_receiver_that_recovers_is_not_called_again(api: Api, receiver: Receiver) -> None:
    receiver.answer(500, Answer(closes=True), 200)
    task_id = api.submit(AT_ONCE, callback_url=receiver.url())

    assert [each["status"] for each in api.advance("30d")] == [500, None, 200]
    assert api.delivery(task_id)["state"] == "delivered"


def test_a_retry_falls_due_at_its_instant_and_not_before(api: Api, receiver: Receiver) -> None:
    receiver.answer(500)
    api.submit(AT_ONCE, callback_url=receiver.url())
    api.advance(1)

    assert api.advance("29999ms") == []
    assert [each["status"] for each in api.advance("1ms")] == [200]


def test_a_port_that_nobody_listens_on_is_reported_as_such(api: Api) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/hook"
        task_id = api.submit(AT_ONCE, callback_url=url)
        fired = api.advance("1d")

    assert [each["status"] for each in fired] == [None] * 4
    assert "refused" in fired[0]["error"]
    assert api.delivery(task_id)["attempts"][0]["error"] == fired[0]["error"]


def test_a_receiver_that_does_not_answer_in_time_has_failed(
    serve: Serve, receiver: Receiver
) -> None:
    api = serve(Settings(clock="manual", callback_timeout_ms=50)).api("sk-key")
    gate = receiver.block()
    task_id = api.submit(AT_ONCE, callback_url=receiver.url())
    [fired] = api.advance(1)
    gate.set()

    assert fired["status"] is None
    assert fired["error"] == "no response within 0.05 s"
    assert api.delivery(task_id)["state"] == "pending"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:0/hook", id="port-zero"),
        pytest.param("http://a..b/hook", id="a-name-with-a-hole"),
        pytest.param(f"http://{'a' * 64}/hook", id="a-name-too-long"),
        pytest.param("http://[:]/hook", id="brackets-without-an-address"),
        pytest.param("http://xn--\u0131/hook", id="a-name-that-idna-forbids"),
    ],
)
def test_callback_to_an_invalid_url_is_tried_once_and_says_why(api: Api, url: str) -> None:
    task_id = api.submit(AT_ONCE, callback_url=url)

    [fired] = api.advance("1d")

    assert (fired["status"], fired["error"][:12]) == (None, "invalid URL:")
    delivery = api.delivery(task_id)
    assert (delivery["state"], delivery["next_ms"]) == ("failed", None)
    assert api.control("GET", "journal?format=har").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "0", "0x0", "[::]", "[::ffff:0.0.0.0]"])
def test_a_blocked_callback_is_recorded_with_its_rule_and_not_tried_again(
    api: Api, receiver: Receiver, host: str
) -> None:
    """All of these reach this machine where the guard is missing, and nothing else."""
    url = f"http://{host}:{receiver.port}/hook"
    task_id = api.submit(AT_ONCE, callback_url=url)

    [fired] = api.advance("1d")

    delivery = api.delivery(task_id)
    assert delivery["state"] == "blocked"
    assert (delivery["next_ms"], len(delivery["attempts"])) == (None, 1)
    assert "unspecified" in fired["error"] == delivery["attempts"][0]["error"]
    assert fired["status"] is None
    assert receiver.received == []


def test_retries_follow_a_real_clock_however_fast_it_goes(api: Api, receiver: Receiver) -> None:
    receiver.otherwise = Answer(status=500)
    api.go_real(10_000)
    task_id = api.submit(callback_url=receiver.url())

    receiver.wait_for(4)
    api.told("PUT", "clock", {"mode": "manual"})
    assert api.advance("1h") == []

    delivery = api.delivery(task_id)
    instants = [each["at_ms"] for each in delivery["attempts"]]
    gaps = [late - early for early, late in pairwise(instants)]
    assert delivery["state"] == "failed"
    assert gaps[0] >= 30_000
    assert gaps[1] >= 120_000
    assert gaps[2] >= 600_000


def test_a_credential_in_the_address_is_sent_as_such(api: Api, receiver: Receiver) -> None:
    url = receiver.url().replace("http://", "http://user:p%40ss@")
    api.submit(AT_ONCE, callback_url=url)
    api.advance(1)

    assert receiver.received[0].headers["authorization"] == "Basic dXNlcjpwQHNz"
