"""Finds the shortest scenario that still fails, by trying shorter and simpler ones."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from contract_tests.client.exploring.grammar import KINDS, RANKS
from contract_tests.client.exploring.outcome import Outcome
from contract_tests.client.exploring.scenario import Event, Scenario

_SIMPLER_KINDS: Final = 6  # Kinds of the same operation that are tried in place of a kind.

RunAll = Callable[[Sequence[Scenario]], Iterable[Outcome]]
"""Runs scenarios, in parallel if it can, and yields their outcomes in the order of the scenarios.

It may yield fewer outcomes if the time is over.
"""


class Shrunk(msgspec.Struct, frozen=True, kw_only=True):
    """The shortest failing outcome, and how many scenarios were tried to find it."""

    outcome: Outcome
    tries: int
    is_complete: bool


def shrink(
    failing: Outcome,
    is_same_failure: Callable[[Outcome], bool],
    run_all: RunAll,
    *,
    width: int,
    passing: Iterable[Scenario] = (),
) -> Shrunk:
    """Return the shortest scenario that fails in the same way; those in `passing` do not.

    Candidates are tried in waves of `width`; of each wave, the first that fails is taken. The
    result depends neither on `width` nor on which of them ends first. Removing any one event of a
    complete result makes the failure disappear.
    """
    best, tries = failing, 0
    passed = set(passing)
    failed: dict[Scenario, Outcome] = {}  # Those of a wave that were not taken may be taken later.
    while True:
        candidates = (each for each in _candidates(best) if each not in passed)
        is_improved = False
        while not is_improved and (wave := list(dict.fromkeys(islice(candidates, width)))):
            untried = [each for each in wave if each not in failed]
            outcomes = list(run_all(untried))
            tries += len(outcomes)
            for each in outcomes:
                if is_same_failure(each):
                    failed[each.scenario] = each
                else:
                    passed.add(each.scenario)
            found = next((failed[each] for each in wave if each in failed), None)
            if found is not None:
                best, is_improved = found, True
            elif len(outcomes) < len(untried):
                return Shrunk(outcome=best, tries=tries, is_complete=False)
        if not is_improved:
            return Shrunk(outcome=best, tries=tries, is_complete=True)


def _candidates(failing: Outcome) -> Iterator[Scenario]:
    """Yield scenarios that are shorter or simpler, those that save most first."""
    scenario = failing.scenario
    events, length = scenario.events, len(scenario.events)
    kept = tuple(event for place, event in enumerate(events) if place in failing.applied)
    if len(kept) < length:
        yield _with(scenario, kept)
    if scenario.pictures > 1:
        yield msgspec.structs.replace(scenario, pictures=1)
        yield msgspec.structs.replace(scenario, pictures=scenario.pictures - 1)
    size = length
    while size:
        for start in range(0, length, size):
            yield _with(scenario, events[:start] + events[start + size :])
        size //= 2
    for place, event in enumerate(events):
        if event.skips:
            yield _replaced(scenario, place, Event(event.name))
            yield _replaced(scenario, place, Event(event.name, event.skips - 1))
    for place, event in enumerate(events):
        for name in _simpler(event):
            yield _replaced(scenario, place, Event(name, event.skips))


def _simpler(event: Event) -> list[str]:
    """Return the simplest kinds of the same operation and severity before that of the event."""
    kind = event.kind
    earlier = (each for each in KINDS[: RANKS[event.name]] if each.operation is kind.operation)
    return [each.name for each in earlier if each.severity is kind.severity][:_SIMPLER_KINDS]


def _with(scenario: Scenario, events: tuple[Event, ...]) -> Scenario:
    return msgspec.structs.replace(scenario, events=events)


def _replaced(scenario: Scenario, place: int, event: Event) -> Scenario:
    events = scenario.events
    return _with(scenario, (*events[:place], event, *events[place + 1 :]))
