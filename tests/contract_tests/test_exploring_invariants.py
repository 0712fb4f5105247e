"""Each invariant holds for a correct client, and names what violates it."""

import json
from io import BytesIO
from typing import Any

import msgspec
import pytest
from PIL import Image

from contract_tests.client.evidence import Evidence
from contract_tests.client.exploring.invariants import INVARIANTS, violations_of
from contract_tests.client.exploring.outcome import ClientRun, Delivery, Outcome, Purchase
from contract_tests.client.exploring.reproduction import timeline_of
from contract_tests.client.exploring.scenario import Event, Scenario
from contract_tests.client.records import HttpExchange
from tests.contract_tests.evidence import RESULT_URL, exchange, numbered, rejected

KEY = "audit-key-1234"
PICTURE = b"a picture"
DELIVERED = Delivery(name="0.png", content=PICTURE)
OTHER = Delivery(name="1.png", content=b"another")
RETRY_AFTER = (("Retry-After", "5"),)


def run(**given: Any) -> ClientRun:
    usual: dict[str, Any] = {
        "prompt": "a fox",
        "is_success": True,
        "end": "exited with status 0",
        "deliveries": (DELIVERED,),
    }
    return ClientRun(**(usual | given))


def purchase(task_id: str = "task_1", state: str = "success", **given: Any) -> Purchase:
    usual: dict[str, Any] = {"prompt": "a fox", "num_images": 1}
    if state == "success":
        usual |= {"result_urls": (RESULT_URL,), "contents": (PICTURE,)}
    return Purchase(task_id=task_id, state=state, **(usual | given))


def outcome(*exchanges: HttpExchange, **given: Any) -> Outcome:
    usual: dict[str, Any] = {
        "scenario": Scenario(),
        "key": KEY,
        "runs": (run(),),
        "purchases": (purchase(),),
        "evidence": Evidence(exchanges=numbered(exchanges or (exchange(),))),
    }
    return Outcome(**(usual | given))


def seen_in(found: Outcome) -> dict[str, str]:
    return {each.invariant: each.seen for each in violations_of(found)}


def throttled_twice(wait_s: float, headers: tuple[tuple[str, str], ...]) -> Outcome:
    return outcome(rejected(1, 1.0, 429, response_headers=headers), exchange(2, 1.0 + wait_s))


def body_of(prompt: str) -> str:
    return json.dumps({"input": {"prompt": prompt}})


def two_at_once(
    *further: Purchase, deliveries: tuple[Delivery, ...] = (DELIVERED, OTHER)
) -> Outcome:
    """Return the outcome of a client that generates two pictures in one run."""
    purchases = (
        purchase(prompt="a fox, 1"),
        purchase(
            "task_2", prompt="a fox, 2", contents=(b"another",), result_urls=(f"{RESULT_URL}2",)
        ),
    )
    return outcome(runs=(run(deliveries=deliveries),), purchases=(*purchases, *further))


def image(color: str, file_format: str) -> bytes:
    content = BytesIO()
    Image.new("RGB", (64, 64), color).save(content, file_format)
    return content.getvalue()


FAILED = {"is_success": False, "end": "exited with status 1", "deliveries": None}
LEAK = (("Authorization", "Bearer [redacted]"),)

VIOLATING = {
    "X-PAY": outcome(purchases=(purchase(), purchase("task_2"))),
    "X-PIC": outcome(runs=(run(deliveries=()),)),
    "X-TELL": outcome(purchases=(purchase(state="failed"),)),
    "X-END": outcome(runs=(run(**FAILED, timed_out=True),)),
    "X-KEY": outcome(runs=(run(output=f"Bearer {KEY}"),)),
    "X-LIM": throttled_twice(2.0, RETRY_AFTER),
    "X-DONE": outcome(runs=(run(**FAILED),)),
}


def test_correct_client_violates_nothing() -> None:
    assert not violations_of(outcome())


def test_every_invariant_has_a_violating_example() -> None:
    assert list(VIOLATING) == [each.id for each in INVARIANTS]


@pytest.mark.parametrize("invariant", VIOLATING)
def test_violation_names_its_invariant_only(invariant: str) -> None:
    assert list(seen_in(VIOLATING[invariant])) == [invariant]


@pytest.mark.parametrize("invariant", VIOLATING)
def test_violation_never_shows_the_key(invariant: str) -> None:
    found = outcome(
        runs=(run(**FAILED, timed_out=True) if invariant == "X-END" else run(end=f"said {KEY}"),)
    )

    assert not any(KEY in seen for seen in seen_in(found).values())


def test_failed_task_may_be_bought_again() -> None:
    assert not violations_of(outcome(purchases=(purchase(state="failed"), purchase("task_2"))))


def test_each_start_of_a_client_may_buy_once() -> None:
    purchases = (purchase(), purchase("task_2"))

    assert not violations_of(outcome(runs=(run(starts=2),), purchases=purchases))
    assert "X-PAY" in seen_in(outcome(runs=(run(starts=2),), purchases=(*purchases, purchase())))


def test_each_picture_is_a_purchase_of_its_own() -> None:
    runs = (run(prompt="a fox, 1"), run(prompt="a fox, 2"))
    purchases = (purchase(prompt="a fox, 1"), purchase("task_2", prompt="a fox, 2"))

    assert not violations_of(outcome(runs=runs, purchases=purchases))


def test_client_may_generate_several_pictures_at_once() -> None:
    assert not violations_of(two_at_once())


def test_every_picture_of_several_at_once_is_needed() -> None:
    assert list(seen_in(two_at_once(deliveries=(DELIVERED,)))) == ["X-PIC"]


def test_one_of_several_pictures_at_once_is_not_paid_twice() -> None:
    again = purchase("task_3", prompt="a fox, 2", contents=(b"another",))

    found = two_at_once(again)

    assert seen_in(found) == {"X-PAY": "2 tasks were paid for to get one picture"}


def test_submit_of_another_task_does_not_repeat_a_throttled_one() -> None:
    throttled = rejected(1, 1.0, 429, response_headers=RETRY_AFTER, body=body_of("a fox, 1"))

    assert not violations_of(outcome(throttled, exchange(2, 1.5, body=body_of("a fox, 2"))))
    assert "X-LIM" in seen_in(outcome(throttled, exchange(2, 1.5, body=body_of("a fox, 1"))))


def test_picture_in_another_format_is_the_same_picture() -> None:
    delivered = Delivery(name="0.jpg", content=image("red", "JPEG"))
    bought = purchase(contents=(image("red", "PNG"),))

    assert not violations_of(outcome(runs=(run(deliveries=(delivered,)),), purchases=(bought,)))


@pytest.mark.parametrize(
    "content", [image("blue", "PNG"), image("red", "PNG")[:60], b"", b"<html>"],
    ids=["another-picture", "truncated", "empty", "html"],
)  # fmt: skip
def test_delivery_that_is_not_the_picture_is_found(content: bytes) -> None:
    bought = purchase(contents=(image("red", "PNG"),))
    delivered = (Delivery(name="0.png", content=content),)

    assert "X-PIC" in seen_in(outcome(runs=(run(deliveries=delivered),), purchases=(bought,)))


def test_one_of_two_pictures_is_not_enough() -> None:
    bought = purchase(result_urls=("/1", "/2"), contents=(PICTURE, b"another picture"))

    assert "picture 2 of 2 is missing" in seen_in(outcome(purchases=(bought,)))["X-PIC"]


def test_file_that_is_no_picture_is_ignored() -> None:
    log = Delivery(name="log.txt", content=b"done", is_picture=False)

    assert not violations_of(outcome(runs=(run(deliveries=(DELIVERED, log)),)))


@pytest.mark.parametrize("end", ["printed", "downloaded"])
def test_client_without_files_may_print_or_download(end: str) -> None:
    output = RESULT_URL if end == "printed" else ""
    exchanges = (exchange(), exchange(2, 2.0, "result", headers=())) if not output else ()

    assert not violations_of(outcome(*exchanges, runs=(run(output=output, deliveries=None),)))


def test_client_that_neither_stores_nor_prints_has_no_picture() -> None:
    assert "X-PIC" in seen_in(outcome(runs=(run(deliveries=None),)))


@pytest.mark.parametrize(
    "leak",
    [
        exchange(2, 2.0, "result", headers=LEAK),
        exchange(2, 2.0, "result", headers=(), path=f"/results/1?key={KEY}"),
        exchange(2, 2.0, "status", path="/status?api_key=[redacted]"),
        exchange(2, 2.0, "submit", body='{"callback_url": "http://x/[redacted]"}', status=400),
    ],
    ids=["download-header", "download-address", "status-address", "body"],
)
def test_key_in_a_request_is_found(leak: HttpExchange) -> None:
    found = outcome(exchange(), leak)

    assert "X-KEY" in seen_in(found)


def test_key_in_a_file_is_found() -> None:
    log = Delivery(name="log.txt", content=KEY.encode(), is_picture=False)

    assert "X-KEY" in seen_in(outcome(runs=(run(deliveries=(DELIVERED, log)),)))


@pytest.mark.parametrize(("wait_s", "is_long_enough"), [(4.0, False), (4.9, True), (9.0, True)])
def test_retry_after_is_the_shortest_wait(wait_s: float, *, is_long_enough: bool) -> None:
    assert ("X-LIM" not in seen_in(throttled_twice(wait_s, RETRY_AFTER))) is is_long_enough


@pytest.mark.parametrize(("wait_s", "is_long_enough"), [(0.0, False), (1.0, True)])
def test_429_without_a_header_needs_a_wait(wait_s: float, *, is_long_enough: bool) -> None:
    assert ("X-LIM" not in seen_in(throttled_twice(wait_s, ()))) is is_long_enough


def test_waits_are_not_judged_if_the_clock_did_not_move() -> None:
    found = msgspec.structs.replace(throttled_twice(0.0, RETRY_AFTER), is_timed=False)

    assert not violations_of(found)


@pytest.mark.parametrize(
    ("name", "is_to_succeed"),
    [("status-unknown-members", True), ("task-succeeds-40s", True), ("task-fails-2s", False),
     ("status-500", False), ("submit-lost", False)],
)  # fmt: skip
def test_giving_up_is_a_violation_only_if_nothing_prevents_success(
    name: str, *, is_to_succeed: bool
) -> None:
    found = outcome(
        scenario=Scenario(events=(Event(name),)), applied=frozenset({0}), runs=(run(**FAILED),)
    )

    assert ("X-DONE" in seen_in(found)) is is_to_succeed


def test_giving_up_after_a_third_429_is_allowed() -> None:
    exchanges = [rejected(number, number * 10.0, 429) for number in (1, 2, 3)]

    found = outcome(*exchanges, runs=(run(**FAILED),), purchases=())

    assert "X-DONE" not in seen_in(found)


@pytest.mark.parametrize(
    ("fault", "client_status", "shown"),
    [("wire html-error", 502, "submit   502"), ("wire close", 0, "submit   no response")],
    ids=["proxy", "lost"],
)
def test_timeline_shows_the_status_that_the_client_received(
    fault: str, client_status: int, shown: str
) -> None:
    injected = exchange(client_status=client_status, injected=frozenset({fault}))

    first, *_ = timeline_of(outcome(injected))

    assert first.endswith(f"{shown}  [{fault}]")


def test_timeline_in_real_time_shows_a_delayed_submit_when_it_was_sent() -> None:
    repeated = exchange(1, 21.0, began_ms=21_000)
    delayed = exchange(2, 40.0, began_ms=1_000, injected=frozenset({"latency"}))

    first, second, *_ = timeline_of(outcome(repeated, delayed))

    assert first == "   0.000 s  submit   200  [latency]"
    assert second == "  20.000 s  submit   200"
