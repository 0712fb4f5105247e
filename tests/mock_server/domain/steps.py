"""What happens to a sandbox, step by step: any command, with members that matter."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
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
    SetClock,
    SetRules,
    Submit,
)
from mock_server.domain.errors import SandboxChanged
from mock_server.domain.faults.effect import Effect
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.planner import PlanRequest
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.results import TaskView
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rules import RuleInput
from mock_server.domain.submission import Submission
from mock_server.domain.task import state_at
from tests.mock_server.domain.driven import SETTINGS, Driven, Step, parsed
from tests.mock_server.domain.strategies import MODEL, NOW_MS, briefs
from tests.mock_server.rules.strategies import rules


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
