"""Counts which kinds of events happened to a client, alone and in pairs."""

import msgspec

from contract_tests.client.exploring.combinations import Pair, pairs_of
from contract_tests.client.exploring.generation import Scope
from contract_tests.client.exploring.interleavings import interleavings
from contract_tests.client.exploring.outcome import Outcome
from contract_tests.client.exploring.scenario import Scenario


class CoverageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried of what the grammar has, as a report shows it.

    `happened` counts in how many scenarios each kind of event happened. A kind that never
    happened was not reached: for example, a client that never polls gets no status response.
    """

    happened: dict[str, int]
    not_reached: tuple[str, ...]
    kinds: int
    pairs: int
    possible_pairs: int
    interleavings: int
    possible_interleavings: int


class Coverage:
    """Collects the events of outcomes."""

    def __init__(self) -> None:
        self._happened: dict[str, int] = {}
        self._pairs: set[Pair] = set()
        self._scenarios: set[Scenario] = set()

    def add(self, outcome: Outcome) -> None:
        names = outcome.applied_names
        for name in set(names):
            self._happened[name] = self._happened.get(name, 0) + 1
        self._pairs |= pairs_of(names)
        self._scenarios.add(outcome.scenario)

    def facts(self, scope: Scope) -> CoverageFacts:
        """Return the counts, compared with all kinds of events in the scope."""
        names = [kind.name for kind in scope.kinds()]
        enumerated = set(interleavings(has_callbacks=scope.has_callbacks))
        return CoverageFacts(
            happened={name: self._happened[name] for name in names if name in self._happened},
            not_reached=tuple(name for name in names if name not in self._happened),
            kinds=len(names),
            pairs=len(self._pairs),
            possible_pairs=len(names) * (len(names) + 1) // 2,
            interleavings=len(self._scenarios & enumerated),
            possible_interleavings=len(enumerated),
        )
