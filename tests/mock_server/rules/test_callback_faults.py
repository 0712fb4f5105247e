"""Callback faults, as the receiver sees them."""

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mock_server.testing.receiver import CallbackReceiver
from tests.mock_server.e2e.api import Api, Json


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver.listening() as receiver:
        yield receiver


def called(api: Api, receiver: CallbackReceiver, fault: object, prompt: str = "a fox") -> str:
    """Submit a callback task whose first attempt has this fault, and live for two minutes."""
    api.told("POST", "next", {"apply": {"callback": fault}})
    task_id = api.submit(prompt, callback_url=receiver.url)
    api.advance("100s")
    return task_id


def states(receiver: CallbackReceiver) -> list[str]:
    return [payload["data"]["state"] for payload in receiver.payloads]


def test_a_dropped_attempt_never_comes_and_is_tried_again(
    api: Api, receiver: CallbackReceiver
) -> None:
    task_id = called(api, receiver, "drop")

    first, second = api.delivery(task_id)["attempts"]
    assert (first["status"], second["status"]) == (None, 200)
    assert second["at_ms"] - first["at_ms"] == 30_000
    assert states(receiver) == ["success"]


def test_a_duplicate_comes_as_often_as_asked_and_the_same(
    api: Api, receiver: CallbackReceiver
) -> None:
    called(api, receiver, {"duplicate": 3})

    assert len(receiver.bodies) == 4
    assert len(set(receiver.bodies)) == 1
    assert api.told("POST", "journal/count", {"operation": "callback"}) == {"count": 4}


def test_a_delay_moves_an_attempt_on_the_sandboxs_clock(
    api: Api, receiver: CallbackReceiver
) -> None:
    task_id = called(api, receiver, {"delay": "45s"})

    [attempt] = api.delivery(task_id)["attempts"]
    assert attempt["at_ms"] - api.task(task_id)["complete_time_ms"] == 45_000
    assert states(receiver) == ["success"]


def test_an_early_one_comes_before_the_submits_answer(api: Api, receiver: CallbackReceiver) -> None:
    api.told("POST", "next", {"apply": {"callback": "before-answer"}})
    task_id = api.submit(callback_url=receiver.url)

    assert states(receiver) == ["success"]
    assert receiver.payloads[0]["data"]["taskId"] == task_id
    operations = [entry["operation"] for entry in api.told("GET", "journal")["entries"]]
    assert operations == ["callback", "submit"]
    assert any("the callback is sent before" in line for line in api.task(task_id)["explain"])
    api.advance("1h")
    assert len(receiver.bodies) == 1


def test_an_overtaken_one_comes_after_the_next(api: Api, receiver: CallbackReceiver) -> None:
    api.told("POST", "next", {"apply": {"callback": "reorder"}})
    first = api.submit("[[mock pending=0 processing=10s]]", callback_url=receiver.url)
    second = api.submit("[[mock pending=0 processing=20s]]", callback_url=receiver.url)
    api.advance("25s")

    assert [payload["data"]["taskId"] for payload in receiver.payloads] == [second, first]


def test_an_overtaken_one_comes_by_itself_when_it_is_alone(
    api: Api, receiver: CallbackReceiver
) -> None:
    called(api, receiver, "reorder")

    assert states(receiver) == ["success"]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [("a fox", ["failed", "success"]), ("[[mock fail=NSFW]]", ["success", "failed"])],
)
def test_success_and_failure_both_come_and_the_last_is_true(
    api: Api, receiver: CallbackReceiver, prompt: str, expected: list[str]
) -> None:
    task_id = called(api, receiver, "both", prompt)

    assert states(receiver) == expected
    assert api.status(task_id)["state"] == expected[-1]


def test_a_forged_id_is_that_of_no_task_and_the_true_one_follows(
    api: Api, receiver: CallbackReceiver
) -> None:
    task_id = called(api, receiver, "forged-id")

    forged, true = (payload["data"]["taskId"] for payload in receiver.payloads)
    assert true == task_id
    assert len(forged) == len(true)
    assert api.ask(forged).status_code == 404


def test_garbage_is_no_json(api: Api, receiver: CallbackReceiver) -> None:
    called(api, receiver, "garbage")

    with pytest.raises(ValueError, match=r"codec|Expecting"):
        json.loads(receiver.bodies[0])


def test_garbage_is_an_attempt_like_any_other(api: Api, receiver: CallbackReceiver) -> None:
    receiver.status = 500
    task_id = called(api, receiver, "garbage")

    receiver.status = 200
    api.advance("10m")

    assert [each["status"] for each in api.delivery(task_id)["attempts"]] == [500, 500, 200]
    assert receiver.payloads == [None, *[api.ask(task_id).json()] * 2]


def test_a_slow_one_comes_in_bits_and_whole(api: Api) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api.told("POST", "next", {"apply": {"callback": "slow"}})
        task_id = api.submit(callback_url=f"http://127.0.0.1:{listener.getsockname()[1]}/")
        with ThreadPoolExecutor(1) as receiver:
            took = receiver.submit(taken, listener)
            api.advance("2m")
        bits = took.result()

    assert json.loads(b"".join(bits).partition(b"\r\n\r\n")[2]) == api.ask(task_id).json()
    assert len(bits) > 10
    assert api.delivery(task_id)["state"] == "delivered"


def taken(listener: socket.socket) -> list[bytes]:
    """Take one request as it comes, and answer it with 200."""
    bits: list[bytes] = []
    line, _ = listener.accept()
    with line:
        while not is_whole(b"".join(bits)):
            bits.append(line.recv(65_536))
            assert bits[-1], "the sender hung up"
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return bits


def is_whole(raw: bytes) -> bool:
    head, _, body = raw.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return found is not None and len(body) >= int(found[1])


def test_one_that_is_always_dropped_never_comes_and_is_given_up(
    api: Api, receiver: CallbackReceiver
) -> None:
    api.told("POST", "rules", {"apply": {"callback": "drop"}})
    task_id = api.submit(callback_url=receiver.url)
    api.advance("1d")

    delivery = api.delivery(task_id)
    assert delivery["state"] == "failed"
    assert [each["status"] for each in delivery["attempts"]] == [None] * 4
    assert receiver.bodies == []


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"attempt": 1}, [None, 500, 500, 500]),
        ({"attempt": 3}, [500, 500, None, 500]),
        ({"nth": "every 2"}, [500, None, 500, None]),
        ({"state": "success"}, [None] * 4),
        ({"state": "failed"}, [500] * 4),
        ({"prompt": "fox"}, [None] * 4),
        ({"prompt": "wolf"}, [500] * 4),
        ({"times_each": 2}, [None, None, 500, 500]),
    ],
    ids=str,
)
def test_attempts_are_matched_one_by_one(
    api: Api, receiver: CallbackReceiver, match: Json, expected: list[int | None]
) -> None:
    receiver.status = 500
    api.told("POST", "rules", {"match": match, "apply": {"callback": "drop"}})
    task_id = api.submit("a fox", callback_url=receiver.url)
    api.advance("1d")

    assert [each["status"] for each in api.delivery(task_id)["attempts"]] == expected


def test_the_last_of_several_decides_whether_it_was_delivered(
    api: Api, receiver: CallbackReceiver
) -> None:
    receiver.status = 500
    task_id = called(api, receiver, {"duplicate": 2})
    receiver.status = 200
    api.advance("1d")

    assert [each["status"] for each in api.delivery(task_id)["attempts"]] == [500, 500, 200]
    assert len(receiver.bodies) == 3 + 1 + 1


def test_a_delayed_one_is_delayed_once_and_then_retried_as_usual(
    api: Api, receiver: CallbackReceiver
) -> None:
    receiver.status = 500
    api.told("POST", "rules", {"match": {"attempt": 1}, "apply": {"callback": {"delay": "1h"}}})
    task_id = api.submit(callback_url=receiver.url)
    api.advance("2h")

    ended_ms = api.task(task_id)["complete_time_ms"]
    after_s = [(each["at_ms"] - ended_ms) / 1000 for each in api.delivery(task_id)["attempts"]]
    assert after_s == [3600, 3630, 3750, 4350]


@pytest.mark.parametrize("fault", [{"delay": "1h"}, "reorder"], ids=["delay", "reorder"])
def test_the_journal_tells_who_has_put_an_attempt_off(
    api: Api, receiver: CallbackReceiver, fault: object
) -> None:
    called(api, receiver, fault)
    api.advance("2h")

    (entry,) = api.told("GET", "journal?operation=callback")["entries"]

    kind = fault if isinstance(fault, str) else "delay"
    assert (entry["rule"], entry["fault"]) == ("next-1", f"callback {kind}")


def test_a_delay_is_no_attempt(api: Api, receiver: CallbackReceiver) -> None:
    api.told("POST", "next", {"apply": {"callback": {"delay": "1h"}}})
    task_id = api.submit(callback_url=receiver.url)

    assert api.advance("10m") == []

    assert api.delivery(task_id)["attempts"] == []
    assert [each["attempt"] for each in api.advance("1h")] == [1]


@pytest.mark.parametrize("prompt", ["[[mock hold]]", "[[mock polls=9]]", "[[mock fail=NSFW]]"])
def test_an_early_one_tells_the_end_that_was_planned(
    api: Api, receiver: CallbackReceiver, prompt: str
) -> None:
    api.told("POST", "next", {"apply": {"callback": "before-answer"}})
    task_id = api.submit(prompt, callback_url=receiver.url)

    assert states(receiver) == ["failed" if "fail" in prompt else "success"]
    assert receiver.payloads == [api.ask(task_id).json()]


def test_an_early_one_that_is_refused_is_tried_again(api: Api, receiver: CallbackReceiver) -> None:
    receiver.status = 500
    api.told("POST", "next", {"apply": {"callback": "before-answer"}})
    task_id = api.submit(callback_url=receiver.url)
    receiver.status = 200
    api.advance("30s")

    assert [each["status"] for each in api.delivery(task_id)["attempts"]] == [500, 200]


def test_no_early_one_comes_for_a_submit_that_is_refused(
    api: Api, receiver: CallbackReceiver
) -> None:
    api.told("POST", "next", {"apply": {"callback": "before-answer"}})
    order = {"request_type": "callback", "callback_url": receiver.url}

    assert api.try_submit({**order, "input": {"prompt": ""}}).status_code == 400
    api.submit(callback_url=receiver.url)

    assert states(receiver) == ["success"]


def test_polling_and_a_callback_fault_do_not_touch_each_other(
    api: Api, receiver: CallbackReceiver
) -> None:
    api.told("POST", "rules", {"apply": {"callback": "both"}})
    task_id = api.submit(callback_url=receiver.url)
    before = api.ask(task_id).content
    api.advance("2m")

    assert b'"pending"' in before
    assert [each["data"]["state"] for each in receiver.payloads] == ["failed", "success"]
    assert receiver.payloads[1] == api.ask(task_id).json()


def test_every_one_is_named_in_the_journal_and_the_timeline(
    api: Api, receiver: CallbackReceiver
) -> None:
    task_id = called(api, receiver, {"duplicate": 1})

    faults: list[Json] = api.told("GET", "journal?operation=callback")["entries"]
    named = [(each["rule"], each["fault"]) for each in faults]
    assert named == [("next-1", "callback duplicate")] * 2
    told = [each for each in api.task(task_id)["timeline"] if each["kind"] == "callback"]
    assert [(each["rule"], each["fault"]) for each in told] == named
