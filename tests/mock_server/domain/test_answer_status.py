"""A foreseen response is recorded by one command as by two, or the command has no effect."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import (
    AnswerStatus,
    CompleteEarly,
    FinishTask,
    ReadStatus,
    RecordExchange,
    Reset,
)
from mock_server.domain.errors import SandboxChanged
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.planner import PlanRequest
from mock_server.domain.results import TaskView
from mock_server.domain.task import Ending, state_at
from tests.mock_server.domain.checkpoints import saved
from tests.mock_server.domain.driven import Driven, Step, run
from tests.mock_server.domain.steps import about_task, advance, change_settings, steps, submit, wait
from tests.mock_server.domain.strategies import MODEL, NOW_MS
from tests.properties import examples

PLANS = (
    PlanRequest(pending_ms=500, processing_ms=20_000),
    PlanRequest(is_held=True),
    PlanRequest(ending=Ending(polls=2)),
)
# Half of what happens between is likely to matter, the other half is anything.
betweens = st.lists(
    st.one_of(
        st.builds(wait, st.sampled_from([1, 300, 999, 20_000])),
        st.builds(advance, st.sampled_from([1, 10_000])),
        st.builds(about_task(FinishTask), st.just(0)),
        st.builds(about_task(CompleteEarly, rule_id="rule-1"), st.just(0)),
        st.builds(change_settings, st.integers(1, 3), st.none()),
        st.builds(about_task(ReadStatus, model_id=MODEL.id), st.just(0)),
        steps,
    ),
    max_size=4,
)


def foreseen(driven: Driven, task_id: str) -> AnswerStatus:
    """Return the command for the task as it is now."""
    view = driven.sandbox.task(task_id, driven.real_ms)
    assert view is not None
    entry = Entry(view.now_ms, NOW_MS, Operation.STATUS, task_id, 200, 5, b"", b"{}")
    return AnswerStatus(
        real_ms=driven.real_ms,
        model_id=MODEL.id,
        state=state_at(view.task, view.now_ms),
        entry=entry,
        known_changes=driven.sandbox.changes,
    )


def with_task(plan: PlanRequest) -> tuple[Driven, str]:
    driven = Driven()
    view = submit(plan, 1, is_callback=False, has_room=True)(driven)
    assert isinstance(view, TaskView)
    return driven, view.task.id


@examples(200)
@given(st.sampled_from(PLANS), st.lists(steps, max_size=5), betweens)
def test_one_command_does_what_two_commands_do(
    plan: PlanRequest, before: list[Step], between: list[Step]
) -> None:
    (one, task_id), (two, _) = with_task(plan), with_task(plan)
    for driven in (one, two):
        run(driven, before)
        if not driven.sandbox.has_task(task_id):
            return
    command = foreseen(one, task_id)
    if command.state.is_final:
        return
    for driven in (one, two):
        run(driven, between)
    command = msgspec.structs.replace(command, real_ms=one.real_ms)
    unchanged, changes = one.document(), one.sandbox.changes
    ends_by_polls = two.sandbox.ends_by_polls(task_id)
    view = two.sandbox.apply(ReadStatus(real_ms=two.real_ms, model_id=MODEL.id, task_id=task_id))
    is_right = (
        changes == command.known_changes
        and isinstance(view, TaskView)
        and not ends_by_polls
        and state_at(view.task, view.now_ms) is command.state
        and view.now_ms // 1000 == command.entry.at_ms // 1000
    )

    if not is_right:
        with pytest.raises(SandboxChanged):
            one.sandbox.apply(command)
        assert one.document() == unchanged
        return
    number = one.sandbox.apply(command)
    entry = msgspec.structs.replace(command.entry, at_ms=view.now_ms)
    assert number == two.sandbox.apply(RecordExchange(real_ms=two.real_ms, entry=entry))
    assert one.sandbox.events == two.sandbox.events
    for driven in (one, two):
        driven.sandbox.events.clear()
    assert saved(one.sandbox) == saved(two.sandbox)


def test_date_of_an_answered_status_is_right() -> None:
    driven, task_id = with_task(PlanRequest(is_held=True))
    command = foreseen(driven, task_id)
    within, after = (
        msgspec.structs.replace(command, real_ms=command.real_ms + 1000 + by_ms)
        for by_ms in (-1 - command.entry.at_ms % 1000, -command.entry.at_ms % 1000)
    )

    driven.sandbox.apply(within)
    with pytest.raises(SandboxChanged):
        driven.sandbox.apply(after)

    [(_, entry)] = driven.sandbox.entries()
    assert entry.at_ms // 1000 == command.entry.at_ms // 1000
    assert entry.at_ms == driven.sandbox.used_ms == within.real_ms


def test_status_above_the_rate_limit_is_not_answered() -> None:
    driven, task_id = with_task(PlanRequest(is_held=True))
    command = foreseen(driven, task_id)
    for _ in range(driven.sandbox.settings.rate_limit - 1):
        driven.sandbox.apply(command)

    with pytest.raises(SandboxChanged):
        driven.sandbox.apply(command)


def test_task_of_another_model_is_not_answered() -> None:
    driven, task_id = with_task(PlanRequest(is_held=True))
    command = msgspec.structs.replace(foreseen(driven, task_id), model_id="another-model")

    with pytest.raises(SandboxChanged):
        driven.sandbox.apply(command)


def test_task_that_was_reset_is_not_answered() -> None:
    driven, task_id = with_task(PlanRequest(is_held=True))
    command = msgspec.structs.replace(foreseen(driven, task_id), known_changes=None)
    driven.apply(Reset)

    with pytest.raises(SandboxChanged):
        driven.sandbox.apply(command)
