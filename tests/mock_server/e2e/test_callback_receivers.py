"""A slow or dead receiver delays nobody else; time that moves by itself; the end of the server."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import MakeReceiver
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Answer, Receiver
from tests.mock_server.e2e.serving import running

SOON = "[[mock pending=0 processing=1s]] a fox"
FAILING_SOON = "[[mock pending=0 processing=1s fail=NSFW_DETECTED]] a fox"
MORE_THAN_ONE_RECEIVER_GETS_AT_ONCE = 40


def test_with_a_real_clock_callbacks_are_sent_by_themselves(api: Api, receiver: Receiver) -> None:
    api.go_real(1000)
    task_id = api.submit(callback_url=receiver.url())

    [delivery] = receiver.wait_for(1)

    sent = json.loads(delivery.body)["data"]
    assert (sent["taskId"], sent["state"]) == (task_id, "success")
    assert sent["completeTime"] <= api.now_ms()


def test_a_clock_that_begins_to_move_sends_what_was_waiting(api: Api, receiver: Receiver) -> None:
    api.submit(callback_url=receiver.url())
    api.go_real(100_000)

    assert len(receiver.wait_for(1)) == 1


def test_a_blocked_receiver_does_not_delay_another(api: Api, make_receiver: MakeReceiver) -> None:
    slow, quick = make_receiver(), make_receiver()
    gate = slow.block()
    api.go_real(1000)
    for _ in range(MORE_THAN_ONE_RECEIVER_GETS_AT_ONCE):
        api.submit(SOON, callback_url=slow.url())
    slow.wait_for(1)
    task_id = api.submit(SOON, callback_url=quick.url())
    quick.wait_for(1)
    polled = api.status(task_id)
    gate.set()

    assert polled["state"] == "success"
    assert len(slow.wait_for(MORE_THAN_ONE_RECEIVER_GETS_AT_ONCE)) >= 40


def blocking_all_but_failures(receiver: Receiver) -> Event:
    """Let callbacks of successful tasks hang until the event is set."""
    gate = receiver.block()
    receiver.choose = lambda body: Answer() if b'"failed"' in body else receiver.otherwise
    return gate


def test_a_blocked_path_does_not_delay_another_path(api: Api, receiver: Receiver) -> None:
    gate = blocking_all_but_failures(receiver)
    api.go_real(1000)
    for _ in range(MORE_THAN_ONE_RECEIVER_GETS_AT_ONCE):
        api.submit(SOON, callback_url=receiver.url("/slow"))
    receiver.wait_for(32)
    api.submit(FAILING_SOON, callback_url=receiver.url("/quick"))
    received = receiver.wait_for(33)
    gate.set()

    assert [each.path for each in received] == ["/slow"] * 32 + ["/quick"]


def test_a_blocked_path_does_not_delay_another_path_during_advance(
    api: Api, receiver: Receiver
) -> None:
    gate = blocking_all_but_failures(receiver)
    api.submit("[[mock pending=0 processing=1s]]", callback_url=receiver.url("/slow"))
    api.submit(
        "[[mock pending=0 processing=2s fail=NSFW_DETECTED]]", callback_url=receiver.url("/quick")
    )
    with ThreadPoolExecutor(1) as thread:
        advance = thread.submit(api.told, "POST", "clock/advance", {"seconds": 60})
        received = receiver.wait_for(2)
        is_waiting = not advance.done()
        gate.set()

    assert [each.path for each in received] == ["/slow", "/quick"]
    assert is_waiting
    assert [each["status"] for each in advance.result()["fired"]] == [200, 200]


def test_a_dead_receiver_does_not_delay_another(api: Api, make_receiver: MakeReceiver) -> None:
    dead, alive = make_receiver(), make_receiver()
    dead.otherwise = Answer(closes=True)
    api.go_real(1000)
    api.submit(SOON, callback_url=dead.url())
    api.submit(SOON, callback_url=alive.url())
    api.submit(SOON, callback_url="http://0.0.0.0:1/blocked")

    assert len(alive.wait_for(1)) == 1


def test_an_advance_that_waits_for_a_receiver_holds_up_no_other_key(
    api: Api, other_api: Api, make_receiver: MakeReceiver
) -> None:
    slow, quick = make_receiver(), make_receiver()
    gate = slow.block()
    api.submit(SOON, callback_url=slow.url())
    other_api.submit(SOON, callback_url=quick.url())
    with ThreadPoolExecutor(1) as waiting:
        blocked = waiting.submit(api.advance, 1)
        slow.wait_for(1)
        fired = other_api.advance(1)
        is_still_blocked = not blocked.done()
        gate.set()

    assert is_still_blocked
    assert [each["status"] for each in fired] == [200]
    assert [each["status"] for each in blocked.result()] == [200]


def test_callbacks_due_at_one_instant_do_not_wait_for_each_other(
    api: Api, make_receiver: MakeReceiver
) -> None:
    slow, quick = make_receiver(), make_receiver()
    gate = slow.block()
    api.submit(SOON, callback_url=slow.url())
    api.submit(SOON, callback_url=quick.url())
    with ThreadPoolExecutor(1) as waiting:
        advance = waiting.submit(api.advance, 1)
        quick.wait_for(1)
        is_still_waiting = not advance.done()
        gate.set()

    assert is_still_waiting
    assert len(advance.result()) == 2


def test_an_advance_first_waits_for_what_is_under_way(
    api: Api, other_api: Api, make_receiver: MakeReceiver
) -> None:
    slow, quick = make_receiver(), make_receiver()
    gate = slow.block()
    quick.note = gate.is_set
    api.finish(api.submit("[[mock hold]]", callback_url=slow.url()))
    slow.wait_for(1)
    api.submit(SOON, callback_url=quick.url())
    with ThreadPoolExecutor(1) as waiting:
        advance = waiting.submit(api.advance, 1)
        for _ in range(200):  # time enough for the advance to arrive
            other_api.now_ms()
        gate.set()

    assert [each["status"] for each in advance.result()] == [200]
    assert quick.received[0].noted is True
    assert {each["state"] for each in api.deliveries()} == {"delivered"}


def test_while_a_receiver_is_slow_requests_are_answered(api: Api, receiver: Receiver) -> None:
    gate = receiver.block()
    task_id = api.submit(SOON, callback_url=receiver.url())
    with ThreadPoolExecutor(1) as waiting:
        advance = waiting.submit(api.advance, 1)
        receiver.wait_for(1)
        states = [api.status(task_id)["state"], api.status(api.submit())["state"]]
        is_still_waiting = not advance.done()
        gate.set()

    assert states == ["success", "pending"]
    assert is_still_waiting


def test_dropping_all_sandboxes_drops_what_is_under_way_as_well(
    make_receiver: MakeReceiver,
) -> None:
    """The second key's retry comes later than the first key's would, had it survived."""
    dropped, kept = make_receiver(), make_receiver()
    gate = dropped.block()
    dropped.otherwise = Answer(status=500, released=gate)
    with running(Settings(clock="real", speed=2000, egress="loopback")) as mock:
        mock.api("sk-one").submit(SOON, callback_url=dropped.url())
        dropped.wait_for(1)
        mock.http.delete("/_mock/sandboxes").raise_for_status()
        gate.set()
        kept.answer(500, 500, 500)
        mock.api("sk-two").submit(SOON, callback_url=kept.url())
        kept.wait_for(4)

    assert len(dropped.received) == 1


def test_what_is_still_to_be_delivered_is_logged_when_the_server_stops(
    make_receiver: MakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = make_receiver(), make_receiver()
    bad.answer(500)
    with running(Settings(clock="manual")) as mock:
        api = mock.api("sk-key")
        tried = api.submit(SOON, callback_url=bad.url())
        waiting = api.submit("[[mock hold]]", callback_url=good.url())
        delivered = api.submit(SOON, callback_url=good.url())
        asynchronous = api.submit("[[mock hold]]")
        api.advance(1)

    logged = [line for line in caplog.text.splitlines() if "before shutdown" in line]
    assert sorted(line.partition(" task ")[2] for line in logged) == sorted(
        [f"{tried}, attempts: 1", f"{waiting}, attempts: 0"]
    )
    assert delivered not in "".join(logged)
    assert asynchronous not in "".join(logged)


def test_a_server_stops_though_a_receiver_has_not_answered_yet(receiver: Receiver) -> None:
    receiver.block()
    with running(Settings(clock="real", speed=1000)) as mock:
        mock.api("sk-key").submit(SOON, callback_url=receiver.url())
        receiver.wait_for(1)

    assert len(receiver.received) == 1
