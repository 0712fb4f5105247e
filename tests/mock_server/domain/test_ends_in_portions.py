"""Thousands of tasks may end at once. A command settles some of them, with the same results."""

from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mock_server.domain.commands import (
    AnswerStatus,
    ChangeSettings,
    ClaimDeliveries,
    Command,
    CountRequest,
    FinishTask,
    NoticeEnds,
    ReadCounters,
    ReadStatus,
    Submit,
)
from mock_server.domain.events import Change, TasksEnded
from mock_server.domain.journal import Entry
from mock_server.domain.ledger import PORTION
from mock_server.domain.operation import Operation
from mock_server.domain.planner import PlanRequest
from mock_server.domain.results import RejectionReason, TaskView
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.submission import Submission
from mock_server.domain.task import Ending, TaskState
from tests.mock_server.domain.driven import DEFAULTS, ID, SETTINGS, Driven, Step
from tests.mock_server.domain.steps import advance, steps, submit
from tests.mock_server.domain.strategies import MODEL, NOW_MS
from tests.properties import examples

COUNT = 3 * PORTION
LATER_MS = NOW_MS + 60_000
FAILING = PlanRequest(
    pending_ms=0, processing_ms=1, ending=Ending(fail_code="NSFW", fail_message="as told")
)


def change_limits(max_concurrent: int, balance: int | None) -> Step:
    settings = msgspec.structs.replace(SETTINGS, max_concurrent=max_concurrent)
    return lambda driven: driven.apply(ChangeSettings, settings=settings, balance_microusd=balance)


# Their results depend on all tasks that have ended.
THEN: list[Step] = [
    change_limits(1, None),
    change_limits(3, 0),
    change_limits(3, 200_000),
    lambda driven: driven.apply(CountRequest),
    lambda driven: driven.results.append(driven.document()),
    submit(FAILING, 4, is_callback=False, has_room=True),
]


class PortionMachine(RuleBasedStateMachine):
    """Two sandboxes with the same commands; one of them settles a single task at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once, self.one_by_one = Driven(), Driven()

    @rule(step=steps)
    def do(self, step: Step) -> None:
        step(self.at_once)
        with patch("mock_server.domain.sandbox.state.PORTION", 1):
            step(self.one_by_one)

    @rule(images=st.sampled_from([1, 4]), then=st.sampled_from(THEN) | steps)
    def let_three_tasks_fail(self, images: int, then: Step) -> None:
        for _ in range(3):
            self.do(submit(FAILING, images, is_callback=False, has_room=True))
        self.do(advance(60_000))
        self.do(then)

    @rule(limit=st.integers(1, 3))
    def settle_some(self, limit: int) -> None:
        self.at_once.apply(NoticeEnds)
        self.one_by_one.apply(NoticeEnds, limit=limit)

    @invariant()
    def results_are_equal(self) -> None:
        assert results(self.one_by_one) == results(self.at_once)

    @invariant()
    def known_counters_are_exact(self) -> None:
        known = self.one_by_one.sandbox.counters(self.one_by_one.real_ms)
        counters = self.at_once.sandbox.apply(ReadCounters(real_ms=self.at_once.real_ms))
        assert known is None or known == counters

    def teardown(self) -> None:
        for driven in (self.at_once, self.one_by_one):
            driven.apply(ReadCounters)
        assert self.one_by_one.document() == self.at_once.document()
        assert ended(self.one_by_one) == ended(self.at_once)


TestPortionMachine = PortionMachine.TestCase
TestPortionMachine.settings = examples(100, steps=40)


def results(driven: Driven) -> list[object]:
    """Return the results of commands, but not which tasks had been settled."""
    found = [each for each in driven.results if not isinstance(each, TasksEnded)]
    return [_without_settled(each) for each in found]


def ended(driven: Driven) -> list[str]:
    """Return the tasks that were settled since the last reset, in any order."""
    events: list[TasksEnded] = []
    for each in driven.results:
        if isinstance(each, TasksEnded):
            events.append(each)
        elif each is Change.DROPPED:
            events = []
    return sorted(task.id for event in events for task in event.tasks)


def _without_settled(result: Any) -> Any:
    if isinstance(result, list):
        return [_without_settled(each) for each in result]
    task = getattr(result, "task", None)
    if task is None:
        return result
    return msgspec.structs.replace(result, task=msgspec.structs.replace(task, is_settled=False))


def submitted(real_ms: int, plan_request: PlanRequest) -> Submit:
    submission = Submission(prompt="a fox", ratio="1:1", num_images=1, callback_url=None)
    return Submit(
        real_ms=real_ms,
        model_id=MODEL.id,
        submission=submission,
        plan_request=plan_request,
        base_url="http://mock",
    )


@pytest.fixture
def ended_at_once() -> Sandbox:
    """Return a sandbox in which many tasks have ended since its last command."""
    settings = msgspec.structs.replace(
        SETTINGS, max_concurrent=COUNT, rate_limit=2 * COUNT, balance_microusd=10**12
    )
    template = msgspec.structs.replace(DEFAULTS, settings=settings)
    sandbox = Sandbox(ID, template, is_broke=False, real_ms=NOW_MS)
    for _ in range(COUNT):
        sandbox.apply(submitted(NOW_MS, FAILING))
    assert not sandbox.events
    return sandbox


@pytest.mark.parametrize(
    "command",
    [
        ReadStatus(real_ms=LATER_MS, model_id=MODEL.id, task_id="unknown"),
        CountRequest(real_ms=LATER_MS),
        submitted(LATER_MS, PlanRequest()),
        FinishTask(real_ms=LATER_MS, task_id="unknown"),
        ClaimDeliveries(real_ms=LATER_MS),
        NoticeEnds(real_ms=LATER_MS, limit=PORTION),
    ],
    ids=lambda command: type(command).__name__,
)
def test_command_settles_one_portion(ended_at_once: Sandbox, command: Command[Any]) -> None:
    sizes = []
    while ended_at_once.max_unsettled(LATER_MS):
        ended_at_once.apply(command)
        sizes += [len(each.tasks) for each in ended_at_once.events if isinstance(each, TasksEnded)]
        ended_at_once.events.clear()

    assert sizes == [PORTION] * 3


def test_answered_status_settles_one_portion(ended_at_once: Sandbox) -> None:
    task = ended_at_once.tasks(LATER_MS)[0][0]
    entry = Entry(LATER_MS, LATER_MS, Operation.STATUS, task.id, 200, 5, b"", b"{}")
    ended_at_once.apply(
        AnswerStatus(real_ms=LATER_MS, model_id=MODEL.id, state=TaskState.FAILED, entry=entry)
    )

    assert [len(each.tasks) for each in ended_at_once.events if isinstance(each, TasksEnded)] == [
        PORTION
    ]


def test_balance_is_exact_before_all_tasks_are_settled(ended_at_once: Sandbox) -> None:
    view = ended_at_once.apply(CountRequest(real_ms=LATER_MS))

    assert ended_at_once.max_unsettled(LATER_MS) == COUNT - PORTION
    assert getattr(view, "balance_microusd", None) == 10**12


def test_submit_at_the_limit_of_concurrent_tasks_settles_one_portion(
    ended_at_once: Sandbox,
) -> None:
    assert isinstance(ended_at_once.apply(submitted(LATER_MS, PlanRequest())), TaskView)

    assert ended_at_once.max_unsettled(LATER_MS) == COUNT - PORTION + 1


def test_submit_gets_the_refunds_of_all_tasks_that_have_failed(ended_at_once: Sandbox) -> None:
    task = ended_at_once.tasks(LATER_MS)[0][0]
    settings, price = ended_at_once.settings, task.order.price_microusd
    ended_at_once.apply(ChangeSettings(real_ms=LATER_MS, settings=settings, balance_microusd=price))

    assert ended_at_once.max_unsettled(LATER_MS) == COUNT - PORTION
    assert isinstance(ended_at_once.apply(submitted(LATER_MS, PlanRequest())), TaskView)
    view = ended_at_once.apply(submitted(LATER_MS, PlanRequest()))
    assert getattr(view, "reason", None) is RejectionReason.CREDITS
