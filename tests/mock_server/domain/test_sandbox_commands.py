"""A sandbox is a state machine: the same commands give the same results and the same state."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.domain.commands import (
    AddRule,
    AnswerStatus,
    CancelNext,
    ChangeSettings,
    ClaimDeliveries,
    Command,
    CompleteEarly,
    CountRequest,
    DropTask,
    ExpectCallback,
    FinishTask,
    HoldClock,
    MatchRules,
    MoveClock,
    NoticeEnds,
    PostponeDelivery,
    PushNext,
    ReadCounters,
    ReadStatus,
    RecordDelivery,
    RecordExchange,
    ReleaseClaims,
    ReleaseClock,
    Reset,
    Restore,
    SetClock,
    SetRules,
    Submit,
    TakeSnapshot,
)
from mock_server.domain.deliveries import DueDelivery
from mock_server.domain.errors import SandboxChanged
from mock_server.domain.faults.effect import Effect
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.planner import PlanRequest
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.results import TaskView
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.snapshot import parse_snapshot
from mock_server.domain.submission import Submission
from mock_server.domain.task import TaskState, state_at
from tests.mock_server.domain.strategies import CATALOGUE, FAIL_MESSAGES, MODEL, NOW_MS, briefs
from tests.mock_server.rules.strategies import rules
from tests.properties import examples

ID = "0123456789abcdef"
SETTINGS = SandboxSettings(rate_limit=6, max_concurrent=3, balance_microusd=500_000)
DEFAULTS = SandboxTemplate(
    seed=7,
    settings=SETTINGS,
    clock=ClockSettings(),
    models=CATALOGUE.models,
    fail_messages=FAIL_MESSAGES,
)


class Driven:
    """A sandbox with the real instant, and all that its commands have returned."""

    def __init__(self) -> None:
        self.real_ms = NOW_MS
        self.sandbox = Sandbox(ID, DEFAULTS, is_broke=False, real_ms=NOW_MS)
        self.results: list[object] = []
        self.claimed: list[DueDelivery] = []  # By `claim`, whose attempts may be in progress.

    def apply(self, command: type[Command[Any]], **members: Any) -> Any:
        """Apply a command and note its result with the events that it caused."""
        result = self.sandbox.apply(command(real_ms=self.real_ms, **members))
        self.results += [_without_claim(result), *self.sandbox.events]
        self.sandbox.events.clear()
        return result

    def task_id(self, nth: int) -> str:
        tasks, _ = self.sandbox.tasks(self.real_ms)
        return tasks[nth % len(tasks)].id if tasks else "nobody's"

    def document(self) -> bytes:
        """Return its snapshot as it is written."""
        return msgspec.json.encode(self.sandbox.apply(TakeSnapshot(real_ms=self.real_ms)))


Step = Callable[[Driven], object]


def _without_claim(result: object) -> object:
    """Leave out the numbers of claims, which count from the start of a process."""
    if isinstance(result, list):
        return [
            msgspec.structs.replace(each, claim=0) if isinstance(each, DueDelivery) else each
            for each in result
        ]
    return result


def submit(plan_request: Any, images: int, *, is_callback: bool, has_room: bool) -> Step:
    submission = Submission(
        prompt="a fox",
        ratio="1:1",
        num_images=images,
        callback_url="http://127.0.0.1/hook" if is_callback else None,
    )
    return lambda driven: driven.apply(
        Submit,
        model_id=MODEL.id,
        submission=submission,
        plan_request=plan_request,
        base_url="http://mock",
        has_room=has_room,
    )


def callback_task(processing_ms: int) -> Step:
    """Submit a callback task and expect its delivery, as an answered submit does."""
    wanted = PlanRequest(pending_ms=0, processing_ms=processing_ms)

    def step(driven: Driven) -> None:
        view = submit(wanted, 1, is_callback=True, has_room=True)(driven)
        if isinstance(view, TaskView):
            driven.apply(ExpectCallback, task_id=view.task.id)

    return step


def about_task(command: type[Command[Any]], **members: Any) -> Callable[[int], Step]:
    return lambda nth: lambda driven: driven.apply(command, task_id=driven.task_id(nth), **members)


def deliver(result: DeliveryResult) -> Step:
    def step(driven: Driven) -> None:
        for due in driven.apply(ClaimDeliveries):
            driven.apply(RecordDelivery, claimed=due, delivered=result)

    return step


def postpone(delay_ms: int, *, until_overtaken: bool) -> Step:
    match = RuleMatch(rule="rule-1", effect=Effect())

    def step(driven: Driven) -> None:
        for due in driven.apply(ClaimDeliveries):
            driven.apply(
                PostponeDelivery,
                claimed=due,
                delay_ms=delay_ms,
                match=match,
                until_overtaken=until_overtaken,
            )

    return step


def advance(by_ms: int) -> Step:
    def step(driven: Driven) -> None:
        from_ms = driven.apply(HoldClock)
        if from_ms is not None:
            driven.apply(MoveClock, instant_ms=from_ms + by_ms)
            driven.apply(ReleaseClock)

    return step


def claim(owner: str) -> Step:
    """Claim what is due without a result of the attempts."""

    def step(driven: Driven) -> None:
        driven.claimed += driven.apply(ClaimDeliveries, owner=owner)

    return step


def end_attempt(nth: int, result: DeliveryResult) -> Step:
    """Record the result of an attempt, even if its claim has ended."""

    def step(driven: Driven) -> None:
        if driven.claimed:
            claimed = driven.claimed[nth % len(driven.claimed)]
            driven.apply(RecordDelivery, claimed=claimed, delivered=result)

    return step


def move_clock(owner: str, by_ms: int) -> Step:
    return lambda driven: driven.apply(
        MoveClock, instant_ms=driven.sandbox.clock(driven.real_ms).now_ms + by_ms, owner=owner
    )


def of_owner(command: type[Command[Any]], **members: Any) -> Callable[[str], Step]:
    return lambda owner: lambda driven: driven.apply(command, owner=owner, **members)


def match_rules(operation: Operation, nth: int, prompt: str) -> Step:
    return lambda driven: driven.apply(
        MatchRules, rule_input=rule_input(driven, operation, nth, prompt)
    )


def rule_input(driven: Driven, operation: Operation, nth: int, prompt: str) -> RuleInput:
    return RuleInput(
        operation=operation, subject=prompt, prompt=prompt, task_id=driven.task_id(nth)
    )


def drop_ended(nth: int) -> Step:
    """Drop a task as the store does: only one whose end was counted."""

    def step(driven: Driven) -> None:
        driven.apply(NoticeEnds)
        view = driven.sandbox.task(driven.task_id(nth), NOW_MS)
        if view is not None and view.task.is_settled:
            driven.apply(DropTask, task_id=driven.task_id(nth))

    return step


def change_settings(rate_limit: int, balance_microusd: int | None) -> Step:
    settings = msgspec.structs.replace(SETTINGS, rate_limit=rate_limit)
    return lambda driven: driven.apply(
        ChangeSettings, settings=settings, balance_microusd=balance_microusd
    )


def record(status: int) -> Step:
    entry = Entry(NOW_MS, NOW_MS, Operation.STATUS, "", status, 5, b"", b"{}")
    return lambda driven: driven.apply(RecordExchange, entry=entry)


def answer_status(nth: int, slip_ms: int) -> Step:
    """Answer a status request with a response foreseen so many milliseconds before."""

    def step(driven: Driven) -> None:
        view = driven.sandbox.task(driven.task_id(nth), driven.real_ms - slip_ms)
        if view is None:
            return
        entry = Entry(view.now_ms, NOW_MS, Operation.STATUS, view.task.id, 200, 5, b"", b"{}")
        state = state_at(view.task, view.now_ms)
        with suppress(SandboxChanged):
            driven.apply(AnswerStatus, model_id=MODEL.id, state=state, entry=entry)

    return step


def wait(by_ms: int) -> Step:
    def step(driven: Driven) -> None:
        driven.real_ms += by_ms

    return step


def parsed(written: dict[str, Any]) -> RuleDefinition:
    return parse_rule(written, "rule", FAIL_MESSAGES)


nths = st.integers(0, 3)
prompts = st.sampled_from(["a cat", "aab"])
results = st.sampled_from([DeliveryResult(status=200), DeliveryResult(status=500)])
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        submit,
        briefs(),
        st.sampled_from([1, 2, 4]),
        is_callback=st.booleans(),
        has_room=st.sampled_from([True, True, False]),
    ),
    st.builds(callback_task, st.sampled_from([0, 5])),
    st.builds(wait, st.sampled_from([0, 1, 500, 20_000, 60_000])),
    st.builds(advance, st.sampled_from([1, 10_000, 600_000])),
    st.builds(about_task(ReadStatus, model_id=MODEL.id), nths),
    st.builds(about_task(FinishTask), nths),
    st.builds(about_task(FinishTask, fail_code="NSFW", fail_message="as told"), nths),
    st.builds(about_task(CompleteEarly, rule_id="rule-1"), nths),
    st.builds(about_task(ExpectCallback), nths),
    st.builds(deliver, results),
    st.builds(postpone, st.sampled_from([5, 30_000]), until_overtaken=st.booleans()),
    st.builds(drop_ended, nths),
    st.builds(change_settings, st.integers(1, 8), st.none() | st.integers(0, 400_000)),
    st.builds(match_rules, st.sampled_from(Operation), nths, prompts),
    st.builds(lambda rule: lambda driven: driven.apply(AddRule, definition=parsed(rule)), rules),
    st.builds(
        lambda found: (
            lambda driven: driven.apply(SetRules, definitions=[parsed(each) for each in found])
        ),
        st.lists(rules, max_size=2),
    ),
    st.builds(
        lambda rule: lambda driven: driven.apply(PushNext, definition=parsed(rule), count=2), rules
    ),
    st.builds(record, st.sampled_from([200, 404])),
    st.builds(answer_status, nths, st.sampled_from([0, 1, 600])),
    st.sampled_from(
        [
            lambda driven: driven.apply(CountRequest),
            lambda driven: driven.apply(CancelNext),
            lambda driven: driven.apply(CancelNext, rule_id="next-1"),
            lambda driven: driven.apply(ReadCounters),
            lambda driven: driven.apply(SetClock, mode="manual", speed=1.0),
            lambda driven: driven.apply(SetClock, mode="real", speed=20.0),
            lambda driven: driven.apply(Reset),
        ]
    ),
)
owners = st.sampled_from(["one", "other"])
# What several processes do. A snapshot does not contain whose attempts are in progress, and who
# holds the clock.
steps_of_owners: st.SearchStrategy[Step] = st.one_of(
    st.builds(callback_task, st.sampled_from([0, 5])),
    st.builds(claim, owners),
    st.builds(end_attempt, nths, results),
    st.builds(move_clock, owners, st.sampled_from([1, 10_000, 600_000])),
    st.builds(of_owner(HoldClock), owners),
    st.builds(of_owner(ReleaseClock), owners),
    st.builds(of_owner(ReleaseClaims), owners),
    st.builds(of_owner(ReleaseClaims, kept=(1, 3)), owners),
)
sequences = st.lists(steps, max_size=25)
sequences_of_owners = st.lists(steps | steps_of_owners, max_size=25)


def run(driven: Driven, sequence: Sequence[Step]) -> Driven:
    for step in sequence:
        step(driven)
    return driven


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
    whole, restored = run(Driven(), before), Driven()
    restored.real_ms = whole.real_ms
    restored.apply(Restore, snapshot=parse_snapshot(whole.document(), CATALOGUE))
    whole.sandbox.events.clear()
    whole.results.clear()
    restored.results.clear()

    run(whole, rest)
    run(restored, rest)

    assert whole.results == restored.results
    assert whole.document() == restored.document()


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
