"""A sandbox is a state machine: the same commands give the same results and the same state."""

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.domain.commands import (
    ClaimDeliveries,
    ExpectCallback,
    MatchRules,
    Restore,
    SetRules,
)
from mock_server.domain.operation import Operation
from mock_server.domain.planner import PlanRequest
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.snapshot import parse_snapshot
from mock_server.domain.task import TaskState
from tests.mock_server.domain.driven import Driven, Step, parsed, run
from tests.mock_server.domain.steps import (
    callback_task,
    deliver,
    nths,
    postpone,
    prompts,
    rule_input,
    sequences,
    sequences_of_owners,
    submit,
)
from tests.mock_server.domain.strategies import CATALOGUE
from tests.properties import examples


def answer_all(driven: Driven) -> None:
    """Expect the callbacks of all tasks, as answered submits do."""
    for task in driven.sandbox.tasks(driven.real_ms)[0]:
        driven.apply(ExpectCallback, task_id=task.id)


def unanswered() -> Driven:
    """Return a sandbox with a callback task that ends at once, and whose submit is not answered."""
    plan_request = PlanRequest(pending_ms=0, processing_ms=0)
    return run(Driven(), [submit(plan_request, 1, is_callback=True, has_room=True)])


@examples(100)
@given(sequences_of_owners)
def test_two_sandboxes_with_the_same_commands_are_equal(sequence: list[Step]) -> None:
    one, other = run(Driven(), sequence), run(Driven(), sequence)

    assert one.results == other.results
    assert one.document() == other.document()


@examples(100)
@given(sequences, sequences)
@example(
    before=[callback_task(0), postpone(30_000, until_overtaken=True)],
    rest=[callback_task(0), deliver(DeliveryResult(status=200))],
)
def test_snapshot_and_the_rest_of_a_sequence_equal_the_whole_sequence(
    before: list[Step], rest: list[Step]
) -> None:
    whole, restored = run(Driven(), [*before, answer_all]), Driven()
    restored.real_ms = whole.real_ms
    restored.apply(Restore, snapshot=parse_snapshot(whole.document(), CATALOGUE))
    whole.sandbox.events.clear()
    whole.results.clear()
    restored.results.clear()

    run(whole, rest)
    run(restored, rest)

    assert whole.results == restored.results
    assert whole.document() == restored.document()


def test_callback_of_a_submit_that_is_not_answered_yet_is_in_a_snapshot() -> None:
    driven, restored = unanswered(), Driven()
    assert driven.apply(ClaimDeliveries) == []

    restored.apply(Restore, snapshot=parse_snapshot(driven.document(), CATALOGUE))
    claimed = restored.apply(ClaimDeliveries)
    answer_all(restored)  # The submit was answered after the restore.

    assert len(claimed) == 1
    assert restored.apply(ClaimDeliveries) == []


def test_callback_that_was_delivered_is_not_expected_again() -> None:
    """A submit may be answered after a reset, when another task has the id of its task."""
    driven = run(unanswered(), [answer_all, deliver(DeliveryResult(status=200)), answer_all])

    assert driven.apply(ClaimDeliveries) == []
    [delivery] = driven.sandbox.deliveries()
    assert (delivery.state, len(delivery.attempts)) == ("delivered", 1)


@examples(100)
@given(sequences_of_owners, sequences_of_owners)
def test_what_a_sandbox_has_returned_never_changes(before: list[Step], rest: list[Step]) -> None:
    driven = run(Driven(), before)
    returned = list(driven.results)
    written = msgspec.json.encode(returned)

    run(driven, rest)

    assert msgspec.json.encode(returned) == written


def rule_of_state(state: TaskState, prompt: str) -> RuleDefinition:
    match = {"operation": "status", "state": state, "prompt": prompt}
    return parsed({"match": match, "apply": {"wire": "close"}})


rules_of_states = st.builds(
    rule_of_state, st.sampled_from(list(TaskState)), st.sampled_from(["fox", "cat"])
)


@examples(100)
@given(sequences, st.lists(rules_of_states, max_size=4), nths, prompts)
@example(
    before=[callback_task(0)],
    definitions=[rule_of_state(TaskState.SUCCESS, "fox")],
    nth=0,
    prompt="a cat",
)
def test_rules_that_may_not_match_return_nothing_and_change_nothing(
    before: list[Step], definitions: list[RuleDefinition], nth: int, prompt: str
) -> None:
    driven = run(Driven(), before)
    driven.apply(SetRules, definitions=definitions)
    written, status = driven.document(), rule_input(driven, Operation.STATUS, nth, prompt)

    may_match = driven.sandbox.may_match(status, driven.real_ms)
    assert driven.document() == written
    match = driven.apply(MatchRules, rule_input=status)

    assert may_match or (match is None and driven.document() == written)
