"""Generates scenarios: each kind of event alone, then interleavings and random sequences.

The same seed gives the same scenarios in the same order, however many of them run in parallel.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from random import Random
from typing import Final

import msgspec

from contract_tests.client.exploring.grammar import KINDS, EventKind, Operation, Severity
from contract_tests.client.exploring.interleavings import interleavings
from contract_tests.client.exploring.scenario import Event, Scenario

_RANDOM_PER_INTERLEAVING: Final = 2
_MAX_RANDOM: Final = 1_000_000
_CANDIDATES: Final = 24  # Of so many random sequences, the one with the most new pairs is run.
_SKIPS: Final = (0, 0, 0, 0, 1, 1, 2)
_LENGTHS: Final = (1, 2, 2, 3)
_OPERATIONS: Final = (1, 2, 3, 4)
_SUCCESSION_WEIGHT: Final = 10
_PICTURES: Final = (1, 1, 1, 2, 3)

_WITH_SKIPS: Final = frozenset({Operation.SUBMIT, Operation.STATUS, Operation.RESULT})
_ORDER: Final = tuple(Operation)
_WEIGHTS: Final[Mapping[Operation, int]] = {
    Operation.SUBMIT: 6,
    Operation.TASK: 3,
    Operation.STATUS: 6,
    Operation.CALLBACK: 4,
    Operation.RESULT: 4,
    Operation.CLIENT: 1,
}

Pair = tuple[str, str]


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which events a client can meet.

    A client that is not known to receive callbacks may still request them, in a virtual test.
    """

    has_callbacks: bool = True
    has_restarts: bool = True
    is_patient: bool = True
    """Whether events are allowed after which a client may wait for minutes."""

    def kinds(self) -> tuple[EventKind, ...]:
        return tuple(kind for kind in KINDS if self._includes(kind))

    def _includes(self, kind: EventKind) -> bool:
        if kind.operation is Operation.CALLBACK and not self.has_callbacks:
            return False
        if kind.operation is Operation.CLIENT and not self.has_restarts:
            return False
        return self.is_patient or not kind.is_slow


def generate(seed: int, scope: Scope) -> Iterator[Scenario]:
    """Yield scenarios without repetition: no event, one event, then longer ones.

    After the single events, interleavings and random sequences take turns until all interleavings
    have been yielded.
    """
    seen: set[Scenario] = set()
    for scenario in _all(seed, scope):
        if scenario not in seen:
            seen.add(scenario)
            yield scenario


def pairs_of(names: Sequence[str]) -> frozenset[Pair]:
    """Return the pairs of kinds of events in a sequence, without regard to their order."""
    ordered = sorted(names)
    return frozenset(
        (first, second) for place, first in enumerate(ordered) for second in ordered[place + 1 :]
    )


def _all(seed: int, scope: Scope) -> Iterator[Scenario]:
    yield Scenario()
    for kind in scope.kinds():
        yield Scenario.of(kind.name)
    random = _drawn(seed, scope)
    for enumerated in interleavings(has_callbacks=scope.has_callbacks):
        yield enumerated
        yield from islice(random, _RANDOM_PER_INTERLEAVING)
    yield from random


def _drawn(seed: int, scope: Scope) -> Iterator[Scenario]:
    """Yield random scenarios; each contains as many new pairs of kinds as possible."""
    kinds = scope.kinds()
    covered: set[Pair] = set()
    for number in range(_MAX_RANDOM):
        random = Random(f"{seed} {number}")  # noqa: S311  # Chance that can be repeated.
        candidates = [_random(random, kinds) for _ in range(_CANDIDATES)]
        best = max(candidates, key=lambda each: _novelty(each, covered))
        covered |= _successions(best) | _pairs(best)
        yield best


def _novelty(scenario: Scenario, covered: set[Pair]) -> int:
    """Return how much a scenario adds: events that follow each other count more than others."""
    new = _successions(scenario) - covered
    return _SUCCESSION_WEIGHT * len(new) + len(_pairs(scenario) - covered)


def _successions(scenario: Scenario) -> frozenset[Pair]:
    """Return the pairs of events of one operation that follow each other without a skip."""
    return frozenset(
        (f"{first.name} then", second.name)
        for first, second in pairwise(scenario.events)
        if first.kind.operation is second.kind.operation and not second.skips
    )


def _pairs(scenario: Scenario) -> frozenset[Pair]:
    return pairs_of([event.name for event in scenario.events])


def _random(random: Random, kinds: Sequence[EventKind]) -> Scenario:
    """Return a random scenario: some operations, each with a sequence of events.

    A client may give up after a final event, so that such an event is the last of its operation.
    """
    operations = sorted({kind.operation for kind in kinds}, key=_ORDER.index)
    weights = [_WEIGHTS[operation] for operation in operations]
    chosen = set(random.choices(operations, weights, k=random.choice(_OPERATIONS)))
    events: list[Event] = []
    for operation in operations:
        if operation in chosen:
            events += _sequence(random, [each for each in kinds if each.operation is operation])
    return Scenario(events=tuple(events), pictures=random.choice(_PICTURES))


def _sequence(random: Random, kinds: Sequence[EventKind]) -> list[Event]:
    """Return a sequence of events of one operation."""
    can_skip = kinds[0].operation in _WITH_SKIPS
    events: list[Event] = []
    for _ in range(random.choice(_LENGTHS)):
        kind = random.choice(kinds)
        events.append(Event(kind.name, random.choice(_SKIPS) if can_skip else 0))
        if kind.severity is Severity.FINAL:
            break
    return events
