"""A scenario: the events that the mock stages for a client, and the rules that stage them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import msgspec

from contract_tests.client.exploring.grammar import BY_NAME, ENDS_SOON, KINDS, EventKind, Operation

_SORTED: Final = tuple(Operation)
_COUNTED: Final = (Operation.SUBMIT, Operation.STATUS, Operation.CALLBACK, Operation.RESULT)


class Event(msgspec.Struct, frozen=True):
    """One event of a kind of the grammar.

    `skips` is the number of requests of its operation that pass unchanged before it, counted from
    the event of this operation before it.
    """

    name: str
    skips: int = 0

    @property
    def kind(self) -> EventKind:
        return BY_NAME[self.name]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Events in order, and how many pictures the client has to generate, one after the other.

    Only the order of events of the same operation matters: each operation has its own sequence.
    """

    events: tuple[Event, ...] = ()
    pictures: int = 1

    @classmethod
    def of(cls, *names: str, pictures: int = 1) -> Self:
        """Return a scenario of these kinds of events, without skips."""
        return cls(events=tuple(Event(name) for name in names), pictures=pictures)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules of the mock that stage the scenario, as JSON."""
        return [rule for _, rule in _staged(self)]

    @property
    def restarts(self) -> tuple[str, ...]:
        """The names of the events at which the client is stopped and started again."""
        return tuple(e.name for e in self.events if e.kind.operation is Operation.CLIENT)

    def applied_events(self, hits: Mapping[int, int]) -> frozenset[int]:
        """Return the positions of the events whose rules were applied.

        `hits` are the numbers of times that each rule was applied, by its position in `rules`.
        """
        places = [place for place, _ in _staged(self)]
        return frozenset(
            place for rule, place in enumerate(places) if place is not None and hits.get(rule)
        )

    def first_restarts(self, number: int) -> frozenset[int]:
        """Return the positions of the first restarts, which are those that happened."""
        places = [
            place
            for place, event in enumerate(self.events)
            if event.kind.operation is Operation.CLIENT
        ]
        return frozenset(places[:number])

    def describe(self) -> list[str]:
        """Return one sentence for each event, in order."""
        lines = [_sentence(event) for event in self.events]
        if self.pictures > 1:
            lines.insert(0, f"the client generates {self.pictures} pictures, one after the other")
        return lines or ["no fault occurs"]


def scenario_of(
    rules: Sequence[Mapping[str, Any]], *, pictures: int = 1, restarts: Sequence[str] = ()
) -> Scenario | None:
    """Return the scenario that has exactly these rules, or None if the grammar has none."""
    events, last_nth = [], dict.fromkeys(Operation, 1)
    for rule in rules:
        match, apply = rule.get("match", {}), rule.get("apply")
        operation = match.get("operation")
        is_task = operation == "submit" and "nth" not in match
        wanted = Operation.TASK if is_task else operation
        kind = next((k for k in KINDS if k.operation == wanted and dict(k.apply) == apply), None)
        if kind is not None and "times" in match:
            nth = match.get("nth", 1)
            events.append(Event(kind.name, nth - last_nth[kind.operation]))
            last_nth[kind.operation] = nth
    events += [Event(name) for name in restarts]
    events.sort(key=lambda event: _SORTED.index(event.kind.operation))
    scenario = Scenario(events=tuple(events), pictures=pictures)
    return scenario if scenario.rules == list(rules) else None


def _staged(scenario: Scenario) -> list[tuple[int | None, dict[str, Any]]]:
    """Return each rule with the position of its event; the default outcome has none.

    The first matching rule applies, and rules behind it do not count that request. Therefore the
    number of a rule's request is counted without those that belong to earlier rules.
    """
    rules: list[tuple[int | None, dict[str, Any]]] = []
    for operation in _COUNTED:
        nth = 1
        for place, event in enumerate(scenario.events):
            if event.kind.operation is operation:
                nth += event.skips
                match = {"operation": operation.value, "nth": nth, "times": 1}
                rules.append((place, {"match": match, "apply": dict(event.kind.apply)}))
    for place, event in enumerate(scenario.events):
        if event.kind.operation is Operation.TASK:
            match = {"operation": "submit", "times": 1}
            rules.append((place, {"match": match, "apply": dict(event.kind.apply)}))
    rules.append((None, {"match": {"operation": "submit"}, "apply": {"outcome": ENDS_SOON}}))
    return rules


def _sentence(event: Event) -> str:
    if not event.skips:
        return event.kind.about
    unchanged = "1 request" if event.skips == 1 else f"{event.skips} requests"
    return f"{event.kind.about} (after {unchanged} without a fault)"
