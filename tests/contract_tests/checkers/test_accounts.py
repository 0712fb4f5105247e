"""Limits, money and callbacks: each break of a true history is found, whatever the exchange."""

from collections.abc import Callable

import msgspec
import pytest

from contract_tests.server.events import Delivery
from contract_tests.server.target import Target
from tests.contract_tests.checkers.stories import (
    Break,
    Events,
    accepted,
    answered,
    answers,
    clauses_found,
    copies,
    deliveries,
    envelope,
    header,
    is_accepted,
    is_balance,
    is_balance_of_the_other,
    is_status,
    plus,
    status,
    without,
    without_credit,
)


def first(change: Callable[[Delivery], Delivery]) -> Break:
    return deliveries("kept", lambda came: (*map(change, came[:1]), *came[1:]))


def with_body(old: bytes, new: bytes) -> Callable[[Delivery], Delivery]:
    def change(delivery: Delivery) -> Delivery:
        assert old in delivery.body
        return msgspec.structs.replace(delivery, body=delivery.body.replace(old, new))

    return change


def with_header(name: str, value: str) -> Callable[[Delivery], Delivery]:
    def change(delivery: Delivery) -> Delivery:
        kept = tuple(each for each in delivery.headers if each[0].lower() != name.lower())
        return msgspec.structs.replace(delivery, headers=(*kept, (name, value)))

    return change


def at_once(came: tuple[Delivery, ...]) -> tuple[Delivery, ...]:
    """Move the second attempt to the instant of the first one."""
    return tuple(msgspec.structs.replace(each, at_ms=came[0].at_ms) for each in came)


EMPTY = Delivery(method="POST", headers=(), body=b"{}", answered=200)

BREAKS: dict[str, tuple[str, Break]] = {
    "a balance that is a text": ("BIL-2", answers(is_balance, envelope(data="99.9"), 2)),
    "a balance below zero": ("BIL-2", answers(is_balance, envelope(data=-1.0), 2)),
    "a balance that changes by itself": ("BIL-2", answers(is_balance, envelope(data=99.0), -3)),
    "a failed task that costs": ("FAIL-5", answers(is_balance, plus(-0.14), 2)),
    "an image that costs nothing": ("BIL-1", answers(is_balance, plus(0.07), 2)),
    "an image that costs ten times as much": ("BIL-3", answers(is_balance, plus(-1.26), 2)),
    "a rejected submit that costs": ("BIL-1", answers(is_balance, plus(-0.2), 1)),
    "a balance that another key pays": ("AUTH-4", answers(is_balance_of_the_other, plus(-1.0), -1)),
    "a submit without credit, but enough of it": (
        "SUB-17",
        answers(is_accepted, without_credit, 3),
    ),
    "a request above the limit": ("LIM-1", copies(answered(429), -1, is_balance, -1)),
    "a request of another kind above the limit": (
        "LIM-3",
        copies(answered(429), -2, is_status, -1),
    ),
    "a request below the limit": ("LIM-3", answers(is_balance, status(429), 2)),
    "a status request at the limit of tasks": ("LIM-2", answers(is_status, status(429), 0)),
    "a submit below the limit of tasks": ("LIM-2", answers(is_accepted, status(429), 1)),
    "a submit above the limit of tasks": ("LIM-2", answers(answered(429), accepted)),
    "a 429 without Retry-After": ("LIM-5", answers(answered(429), header("retry-after", None))),
    "a Retry-After of zero": ("LIM-5", answers(answered(429), header("retry-after", "0"))),
    "a fractional Retry-After": ("LIM-5", answers(answered(429), header("retry-after", "1.5"))),
    "a Retry-After too early": ("LIM-5", answers(answered(429), header("retry-after", "59"), -1)),
    "a Retry-After too late": ("LIM-5", answers(answered(429), header("retry-after", "61"), -1)),
    "a callback for an async task": ("CB-1", deliveries("quiet", lambda _: (EMPTY,))),
    "a callback by GET": ("CB-1", first(lambda it: msgspec.structs.replace(it, method="GET"))),
    "a callback as a form": ("CB-1", first(with_header("Content-Type", "text/plain"))),
    "a callback of another task": ("CB-1", first(with_body(b"task_", b"test_"))),
    "a callback with other times": ("CB-1", first(with_body(b'"costTime":', b'"costTime":1'))),
    "a callback with another code": ("CB-1", first(with_body(b'"code":200', b'"code":201'))),
    "a callback before the end": ("CB-1", first(lambda it: msgspec.structs.replace(it, at_ms=1))),
    "a callback with a signature": ("CB-6", first(with_header("X-Signature", "abc"))),
    "a callback with the key": ("CB-6", first(with_header("X-Account", "[key]"))),
    "no callback": ("CB-1", without("kept", 0)),
    "no retry": ("CB-2", without("kept", 1)),
    "a retry at once": ("CB-3", deliveries("kept", at_once)),
    "a retry after a 200": ("CB-3", deliveries("kept", lambda it: (*it, *it[1:]))),
    "five attempts": ("CB-3", deliveries("kept", lambda it: it[:1] * 5)),
}  # fmt: skip


@pytest.mark.parametrize(("clause", "broken"), BREAKS.values(), ids=BREAKS)
def test_a_broken_account_is_found_with_its_clause(
    clause: str, broken: Break, history: Events, target: Target
) -> None:
    assert clause in clauses_found(broken(history), target)
