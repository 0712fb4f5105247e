"""Callback faults, as the receiver sees them."""

import json
from collections.abc import Iterator

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
    assert any("its callback comes before" in line for line in api.task(task_id)["explain"])
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


def test_a_slow_one_comes_whole(api: Api, receiver: CallbackReceiver) -> None:
    task_id = called(api, receiver, "slow")

    assert receiver.payloads == [api.ask(task_id).json()]


def test_every_one_is_named_in_the_journal(api: Api, receiver: CallbackReceiver) -> None:
    called(api, receiver, {"duplicate": 1})

    faults: list[Json] = api.told("GET", "journal?operation=callback")["entries"]
    named = [(each["rule"], each["fault"]) for each in faults]
    assert named == [("next-1", "callback duplicate")] * 2
