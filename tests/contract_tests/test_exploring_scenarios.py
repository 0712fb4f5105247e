"""Scenarios: their rules stage exactly their events, and a seed generates them."""

from itertools import islice, pairwise, product

import pytest
from hypothesis import given

from contract_tests.client.exploring.generation import Scope, generate
from contract_tests.client.exploring.grammar import BY_NAME, KINDS, Operation, Severity
from contract_tests.client.exploring.interleavings import MAX_STEPS, Step, orders, staged
from contract_tests.client.exploring.scenario import Scenario, scenario_of
from mock_server.domain.operation import Operation as MockOperation
from mock_server.domain.rule_book import RuleBook
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleInput
from mock_server.domain.task import TaskState
from tests.contract_tests.exploring_strategies import scenarios

MANY = 300


def rule_book_of(scenario: Scenario) -> RuleBook:
    codes = {code: code for code in ("CONTENT_VIOLATION", "MODEL_UNAVAILABLE", "GENERATION_FAILED")}
    book = RuleBook(0, "sandbox")
    book.replace([parse_rule(rule, "rule", codes) for rule in scenario.rules])
    return book


@given(scenarios())
def test_each_event_applies_to_the_request_at_its_place(scenario: Scenario) -> None:
    book = rule_book_of(scenario)
    for operation in (Operation.SUBMIT, Operation.STATUS, Operation.RESULT):
        expected: list[str] = []
        for event in scenario.events:
            if event.kind.operation is operation:
                expected += [""] * event.skips + [event.name]

        given_rules = []
        for _ in expected:
            rule_input = RuleInput(
                operation=MockOperation(operation),
                subject="task",
                prompt="a fox",
                state=None if operation is Operation.SUBMIT else TaskState.SUCCESS,
            )
            match = book.match(rule_input)
            given_rules.append(match.rule if match is not None else "")

        numbers = {f"rule-{number}": rule for number, rule in enumerate(scenario.rules, 1)}
        applied = [numbers[rule]["apply"] if rule else None for rule in given_rules]
        wanted = [dict(BY_NAME[name].apply) if name else None for name in expected]
        for was, should in zip(applied, wanted, strict=True):
            is_task_rule = operation is Operation.SUBMIT and should is None
            assert is_task_rule or was == should


@given(scenarios())
def test_rules_of_a_scenario_give_the_scenario_back(scenario: Scenario) -> None:
    found = scenario_of(
        scenario.rules, pictures=scenario.pictures, restarts=list(scenario.restarts)
    )

    assert found == scenario


def test_other_rules_belong_to_no_scenario() -> None:
    rule = {"match": {"operation": "status"}, "apply": {"latency": "1s"}}

    assert scenario_of([rule]) is None


def test_names_of_kinds_are_unique() -> None:
    assert len(BY_NAME) == len(KINDS)


def test_same_seed_generates_the_same_scenarios() -> None:
    first, second, other = (list(islice(generate(seed, Scope()), MANY)) for seed in (1, 1, 2))

    assert first == second
    assert first != other


def test_generated_scenarios_are_all_different() -> None:
    found = list(islice(generate(1, Scope()), MANY))

    assert len(set(found)) == MANY


def test_generation_begins_without_a_fault_and_with_each_kind_alone() -> None:
    found = list(islice(generate(1, Scope(has_real_time=True)), len(KINDS) + 1))

    assert found == [Scenario(), *(Scenario.of(kind.name) for kind in KINDS)]


@pytest.mark.parametrize("seed", range(3))
def test_many_scenarios_with_several_events_have_none_that_prevents_success(seed: int) -> None:
    found = [each for each in islice(generate(seed, Scope()), MANY) if len(each.events) > 1]

    gentle = [each for each in found if all(event.kind.is_gentle for event in each.events)]
    assert len(gentle) >= len(found) // 8
    assert any(each.pictures > 1 for each in gentle)


@pytest.mark.parametrize("seed", range(3))
def test_all_pairs_of_severities_follow_each_other_in_each_operation(seed: int) -> None:
    last = {Severity.FINAL, Severity.OUTCOME}  # A client may give up after these.
    operations = (Operation.SUBMIT, Operation.STATUS, Operation.RESULT)
    expected = {
        (first.operation, first.severity, second.severity)
        for first, second in product(Scope().kinds(), repeat=2)
        if first.operation in operations and first.operation is second.operation
        if first.severity not in last
    }

    found = {
        (first.kind.operation, first.kind.severity, second.kind.severity)
        for scenario in islice(generate(seed, Scope()), MANY)
        for first, second in pairwise(scenario.events)
        if not second.skips and first.kind.operation is second.kind.operation
    }

    assert expected <= found


@pytest.mark.parametrize(
    ("scope", "operation"),
    [
        (Scope(has_callbacks=False), Operation.CALLBACK),
        (Scope(has_restarts=False), Operation.CLIENT),
    ],
    ids=["callbacks", "restarts"],
)
def test_generation_leaves_out_what_is_not_in_its_scope(scope: Scope, operation: Operation) -> None:
    found = islice(generate(1, scope), MANY)

    assert not any(e.kind.operation is operation for each in found for e in each.events)


def test_impatient_scope_has_no_event_after_which_a_client_waits_for_minutes() -> None:
    found = islice(generate(1, Scope(is_patient=False)), MANY)

    assert not any(event.kind.is_slow for each in found for event in each.events)


def test_virtual_scope_has_no_event_that_takes_real_time() -> None:
    found = islice(generate(1, Scope()), MANY)

    assert not any(event.kind.takes_real_time for each in found for event in each.events)


def test_kind_takes_real_time_if_its_response_is_delayed_or_drips() -> None:
    slow = [
        kind for kind in KINDS if "latency" in kind.apply or kind.apply.get("wire") == "dribble"
    ]

    assert [kind for kind in KINDS if kind.takes_real_time] == slow


def test_every_order_of_at_most_five_polls_and_failures_is_enumerated() -> None:
    steps = (Step.POLL, Step.FAILED_POLL)
    expected = {each for n in range(1, MAX_STEPS + 1) for each in product(steps, repeat=n)}

    assert set(orders(has_callbacks=False)) == expected


def test_every_place_of_a_callback_is_enumerated() -> None:
    found = set(orders(has_callbacks=True))

    for order in orders(has_callbacks=False):
        if len(order) < MAX_STEPS:
            for place in range(len(order) + 1):
                assert (*order[:place], Step.CALLBACK, *order[place:]) in found


def test_callback_between_two_polls_is_staged_by_the_end_of_the_task() -> None:
    scenario = staged((Step.FAILED_POLL, Step.CALLBACK, Step.POLL, Step.FAILED_POLL), "fails")

    names = [event.name for event in scenario.events]
    assert names == ["task-fails-22s", "status-500", "status-late", "status-500"]
