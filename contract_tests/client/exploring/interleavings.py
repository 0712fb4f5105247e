"""Every order of at most five polls, failed polls and callbacks around the end of a task.

A client that follows the provider's advice polls after 20 s, 23 s, 26 s and so on (TIM-2). The
instant at which the task ends therefore decides between which polls the callback arrives. Polls
after the callback still say `processing`, unless they fail.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import product
from typing import Final

from contract_tests.client.exploring.scenario import Event, Scenario

MAX_STEPS: Final = 5
_ENDS_AFTER_POLLS: Final = ("2s", "22s", "25s", "28s", "31s", "34s")
_ENDS: Final = ("succeeds", "fails")


class Step(StrEnum):
    POLL = "poll"
    FAILED_POLL = "failed poll"
    CALLBACK = "callback"


Order = tuple[Step, ...]


def orders(*, has_callbacks: bool) -> Iterator[Order]:
    """Yield all orders of at most `MAX_STEPS` steps, the short ones first.

    The provider sends one callback. A second one is a copy that follows at once (CB-4).
    """
    steps = tuple(Step) if has_callbacks else (Step.POLL, Step.FAILED_POLL)
    for length in range(1, MAX_STEPS + 1):
        for order in product(steps, repeat=length):
            if _has_possible_callbacks(order):
                yield order


def interleavings(*, has_callbacks: bool) -> Iterator[Scenario]:
    """Yield two scenarios for each order: the task succeeds, or it fails."""
    for order in orders(has_callbacks=has_callbacks):
        for end in _ENDS:
            yield staged(order, end)


def staged(order: Order, end: str) -> Scenario:
    """Return the scenario of an order; without a callback in it, the task ends behind it."""
    before = order.index(Step.CALLBACK) if Step.CALLBACK in order else len(order)
    events = [Event(f"task-{end}-{_ENDS_AFTER_POLLS[before]}")]
    if order.count(Step.CALLBACK) > 1:
        events.append(Event("callback-twice"))
    skips = 0
    for place, step in enumerate(order):
        if step is Step.FAILED_POLL:
            events.append(Event("status-500", skips))
        elif step is Step.POLL and place > before:
            events.append(Event("status-late", skips))
        skips = skips + 1 if step is Step.POLL and place < before else 0
    return Scenario(events=tuple(events))


def _has_possible_callbacks(order: Order) -> bool:
    places = [place for place, step in enumerate(order) if step is Step.CALLBACK]
    return len(places) <= 1 or places == [places[0], places[0] + 1]
