"""Which events a scenario combines: what the generator covers, and what a report counts."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from contract_tests.client.exploring.grammar import Operation, Severity
from contract_tests.client.exploring.scenario import Event, Scenario

Pair = tuple[str, str]


class Combination(msgspec.Struct, frozen=True):
    """Two kinds of events in one scenario.

    In a succession, both are of one operation and follow each other. `skips` is the number of
    requests between them if there are several pictures. In a gentle scenario nothing prevents a
    success, so that more can be judged.
    """

    first: str
    second: str
    is_gentle: bool
    is_succession: bool = False
    has_several_pictures: bool = False
    skips: int = 0


def pairs_of(names: Sequence[str]) -> frozenset[Pair]:
    """Return the pairs of kinds of events in a sequence, without regard to their order."""
    ordered = sorted(names)
    return frozenset(
        (first, second) for place, first in enumerate(ordered) for second in ordered[place + 1 :]
    )


def combinations_of(scenario: Scenario) -> frozenset[Combination]:
    """Return what a scenario combines, without events that a correct client never reaches."""
    events = _reached(scenario)
    several, gentle = scenario.pictures > 1, all(event.kind.is_gentle for event in events)
    successions = {
        Combination(
            *names,
            gentle,
            is_succession=True,
            has_several_pictures=several,
            skips=second.skips if several else 0,
        )
        for first, second in pairwise(events)
        if first.kind.operation is second.kind.operation
        for names in ((first.name, second.name), (_likeness(first), _likeness(second)))
    }
    pairs = {
        Combination(first, second, gentle)
        for first, second in pairs_of([event.name for event in events])
    }
    return frozenset(successions | pairs)


def _reached(scenario: Scenario) -> list[Event]:
    """Return the events without those behind a submit after which a client gives up."""
    is_given_up = scenario.pictures == 1 and any(
        event.kind.operation is Operation.SUBMIT
        and event.kind.severity in {Severity.TEMPORARY, Severity.FINAL}
        for event in scenario.events
    )
    return [
        event
        for event in scenario.events
        if not is_given_up or event.kind.operation in {Operation.SUBMIT, Operation.TASK}
    ]


def _likeness(event: Event) -> str:
    """Return what a client may treat alike: all pairs of these come before all pairs of kinds."""
    return f"{event.kind.operation} {event.kind.severity}"
