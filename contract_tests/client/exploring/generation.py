"""Generates scenarios: each kind of event alone, then interleavings and random sequences.

The same seed gives the same scenarios in the same order, however many of them run in parallel.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from random import Random
from typing import Final

import msgspec

from contract_tests.client.exploring.combinations import Combination, combinations_of
from contract_tests.client.exploring.grammar import KINDS, EventKind, Operation, Severity
from contract_tests.client.exploring.interleavings import interleavings
from contract_tests.client.exploring.scenario import Event, Scenario

_RANDOM_PER_INTERLEAVING: Final = 3
_MAX_RANDOM: Final = 1_000_000
_CANDIDATES: Final = 32  # Of so many random sequences, the one with the most new pairs is run.
_SKIPS: Final = (0, 0, 0, 0, 0, 1, 2)
_KINDS: Final = (1, 2, 3, 4)
_LENGTHS: Final = (2, 3, 4, 5)
_OPERATIONS: Final = (2, 3, 4)
_SUCCESSION_WEIGHT: Final = 10
_PICTURES: Final = (1, 1, 1, 2, 3)
_IS_GENTLE: Final = (True, False, False)

_WITH_SKIPS: Final = frozenset({Operation.SUBMIT, Operation.STATUS, Operation.RESULT})
_ORDER: Final = tuple(Operation)
_WEIGHTS: Final[Mapping[Operation, int]] = {
    Operation.SUBMIT: 6,
    Operation.TASK: 3,
    Operation.STATUS: 9,
    Operation.CALLBACK: 4,
    Operation.RESULT: 5,
    Operation.CLIENT: 1,
}


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which events a client can meet.

    A client that is not known to receive callbacks may still request them, in a virtual test.
    """

    has_callbacks: bool = True
    has_restarts: bool = True
    has_real_time: bool = False
    """Whether the client runs in real time, so that responses may be slow."""
    is_patient: bool = True
    """Whether events are allowed after which a client may wait for minutes."""

    def kinds(self) -> tuple[EventKind, ...]:
        return tuple(kind for kind in KINDS if self._includes(kind))

    def _includes(self, kind: EventKind) -> bool:
        if kind.operation is Operation.CALLBACK and not self.has_callbacks:
            return False
        if kind.operation is Operation.CLIENT and not self.has_restarts:
            return False
        if kind.takes_real_time and not self.has_real_time:
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
    """Yield random scenarios; each combines as much as possible that no earlier one combined."""
    kinds = scope.kinds()
    covered: set[Combination] = set()
    for number in range(_MAX_RANDOM):
        random = Random(f"{seed} {number}")  # noqa: S311  # Chance that can be repeated.
        candidates = [_random(random, kinds) for _ in range(_CANDIDATES)]
        found = [combinations_of(each) for each in candidates]
        best = max(range(_CANDIDATES), key=lambda place: _novelty(found[place] - covered))
        covered |= found[best]
        yield candidates[best]


def _novelty(new: AbstractSet[Combination]) -> int:
    """Return how much a scenario adds: events that follow each other count more than others."""
    return sum(_SUCCESSION_WEIGHT if each.is_succession else 1 for each in new)


def _random(random: Random, kinds: Sequence[EventKind]) -> Scenario:
    """Return a random scenario: some operations, each with a sequence of events.

    Each operation has a few kinds of events, which may occur repeatedly. A third of the scenarios
    are gentle. If all kinds could occur in all of them, nearly every one would have an event after
    which a client may give up, and that would hide how the client deals with the others.
    """
    if random.choice(_IS_GENTLE):
        kinds = [kind for kind in kinds if kind.is_gentle]
    operations = sorted({kind.operation for kind in kinds}, key=_ORDER.index)
    weights = [_WEIGHTS[operation] for operation in operations]
    chosen = set(random.choices(operations, weights, k=random.choice(_OPERATIONS)))
    pictures = random.choice(_PICTURES)
    events: list[Event] = []
    for operation in operations:
        possible = [each for each in kinds if each.operation is operation]
        if operation in chosen:
            few = random.sample(possible, min(len(possible), random.choice(_KINDS)))
            events += _sequence(random, few, pictures)
    return Scenario(events=tuple(events), pictures=pictures)


def _sequence(random: Random, kinds: Sequence[EventKind], pictures: int) -> list[Event]:
    """Return a sequence of events of one operation.

    A client may give up after a final event, so such an event is the last one of its picture.
    """
    can_skip = kinds[0].operation in _WITH_SKIPS
    events: list[Event] = []
    for _ in range(random.choice(_LENGTHS)):
        kind = random.choice(kinds)
        events.append(Event(kind.name, random.choice(_SKIPS) if can_skip else 0))
        if kind.severity is Severity.FINAL and pictures == 1:
            break
    return events
