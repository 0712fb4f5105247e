"""Shrinking finds the shortest scenario that fails, and nothing shorter fails."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract_tests.client.exploring.outcome import ClientRun, Outcome
from contract_tests.client.exploring.scenario import Event, Scenario
from contract_tests.client.exploring.shrinking import shrink
from tests.contract_tests.exploring_strategies import scenarios

WIDTHS = st.sampled_from([1, 3, 8])


def outcome_of(scenario: Scenario, applied: Iterable[int] | None = None) -> Outcome:
    places = range(len(scenario.events)) if applied is None else applied
    run = ClientRun(prompt="", is_success=True, end="returned None")
    return Outcome(scenario=scenario, key="key-12345", runs=(run,), applied=frozenset(places))


def run_all(wave: Sequence[Scenario]) -> Iterator[Outcome]:
    yield from map(outcome_of, wave)


@given(scenarios(), st.data(), WIDTHS)
def test_only_the_events_that_cause_the_failure_remain(
    scenario: Scenario, data: st.DataObject, width: int
) -> None:
    causes = data.draw(st.sets(st.sampled_from(range(len(scenario.events) or 1))))
    needed = Counter(scenario.events[each] for each in causes if each < len(scenario.events))

    def fails(outcome: Outcome) -> bool:
        return needed <= Counter(outcome.scenario.events)

    shrunk = shrink(outcome_of(scenario), fails, run_all, width=width)

    assert Counter(shrunk.outcome.scenario.events) == needed
    assert shrunk.outcome.scenario.pictures == 1
    assert shrunk.is_complete


@given(scenarios(), st.integers(1, 3))
def test_pictures_are_reduced_to_those_that_the_failure_needs(
    scenario: Scenario, needed: int
) -> None:
    if scenario.pictures < needed:
        return

    shrunk = shrink(
        outcome_of(scenario), lambda each: each.scenario.pictures >= needed, run_all, width=2
    )

    assert shrunk.outcome.scenario == Scenario(pictures=needed)


def test_events_become_the_simplest_kinds_without_skips() -> None:
    scenario = Scenario(events=(Event("status-invalid-json", 2), Event("result-lost", 1)))

    def fails(outcome: Outcome) -> bool:
        return [each.kind.operation for each in outcome.scenario.events] == ["status", "result"]

    shrunk = shrink(outcome_of(scenario), fails, run_all, width=4)

    assert shrunk.outcome.scenario == Scenario.of("status-500", "result-500")


def test_events_that_did_not_happen_are_removed_first() -> None:
    scenario = Scenario.of("submit-429", "status-500", "status-503", "result-500")
    waves: list[Sequence[Scenario]] = []

    def note(wave: Sequence[Scenario]) -> Iterator[Outcome]:
        waves.append(wave)
        yield from run_all(wave)

    shrink(outcome_of(scenario, applied=[0]), lambda _: True, note, width=1)

    assert waves[0] == [Scenario.of("submit-429")]


@pytest.mark.parametrize("width", [1, 4])
def test_shrinking_ends_with_the_time(width: int) -> None:
    scenario = Scenario.of("submit-429", "status-500")

    shrunk = shrink(outcome_of(scenario), lambda _: True, lambda _: (), width=width)

    assert shrunk.outcome.scenario == scenario
    assert not shrunk.is_complete


@given(scenarios())
@example(Scenario.of("task-succeeds-2s", "task-succeeds-22s"))
def test_width_does_not_change_the_result(scenario: Scenario) -> None:
    def fails(outcome: Outcome) -> bool:
        return len(outcome.scenario.events) * 2 >= len(scenario.events)

    results = {
        shrink(outcome_of(scenario), fails, run_all, width=each).outcome.scenario
        for each in (1, 2, 8)
    }

    assert len(results) == 1
