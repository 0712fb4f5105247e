"""A restore can be prepared beside the present state. An export copies only references.

So neither command takes longer for a large sandbox.
"""

import sys
from collections import Counter
from types import FrameType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.command_codec import encode_commands
from mock_server.domain.commands import (
    ClaimDeliveries,
    Command,
    RecordDelivery,
    Reset,
    Restore,
    TakeSnapshot,
)
from mock_server.domain.planner import PlanRequest
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.sandbox.restoring import preparing_steps
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.snapshot import Snapshot, parse_snapshot
from tests.mock_server.domain.checkpoints import OTHER_SERVER, of_template, saved
from tests.mock_server.domain.driven import ID, Driven, Step, run
from tests.mock_server.domain.steps import callback_task, record, sequences_of_owners, submit
from tests.mock_server.domain.strategies import CATALOGUE, FAIL_MESSAGES, NOW_MS

SMALL, LARGE = 10, 400


def snapshot_of(driven: Driven) -> Snapshot:
    return parse_snapshot(driven.document(), CATALOGUE)


def prepared(snapshot: Snapshot) -> Snapshot:
    assert set(preparing_steps(snapshot, FAIL_MESSAGES)) <= {None}
    return snapshot


def restored(before: list[Step], snapshot: Snapshot, later: list[Step]) -> Driven:
    """Return a sandbox with a state of its own, in which the snapshot was restored."""
    driven = run(of_template(), before)
    driven.apply(Restore, snapshot=snapshot)
    return run(driven, later)


@given(sequences_of_owners, sequences_of_owners, sequences_of_owners)
def test_prepared_restore_has_the_same_effect(
    old: list[Step], new: list[Step], later: list[Step]
) -> None:
    snapshot = snapshot_of(run(Driven(), new))
    usual = restored(old, snapshot, later)
    in_advance = restored(old, prepared(snapshot), later)

    assert in_advance.results == usual.results
    assert saved(in_advance.sandbox) == saved(usual.sandbox)


@given(sequences_of_owners, sequences_of_owners)
def test_sandboxes_with_one_snapshot_do_not_share_prepared_parts(
    new: list[Step], later: list[Step]
) -> None:
    snapshot = prepared(snapshot_of(run(Driven(), new)))
    first, second = restored([], snapshot, []), restored([], snapshot, [])
    untouched = saved(second.sandbox)

    run(first, later)

    assert saved(second.sandbox) == untouched


@given(sequences_of_owners)
def test_log_contains_the_snapshot_only_once(new: list[Step]) -> None:
    snapshot = snapshot_of(run(Driven(), new))
    restore = Restore(real_ms=NOW_MS, snapshot=snapshot)
    usual = encode_commands([restore])

    prepared(snapshot)

    assert encode_commands([restore]) == usual


@given(sequences_of_owners, sequences_of_owners)
def test_later_commands_do_not_change_contents(before: list[Step], later: list[Step]) -> None:
    driven = run(Driven(), before)
    complete = driven.document()

    contents = driven.sandbox.apply(TakeSnapshot(real_ms=driven.real_ms))
    run(driven, later)
    driven.apply(Reset)

    assert msgspec.json.encode(contents.snapshot()) == complete


def with_items(count: int) -> Sandbox:
    """Return a sandbox with this number of tasks, deliveries and journal entries."""
    driven = Driven()
    template = msgspec.structs.replace(
        OTHER_SERVER,
        settings=msgspec.structs.replace(
            OTHER_SERVER.settings, rate_limit=10_000, max_concurrent=10_000, balance_microusd=10**12
        ),
    )
    driven.sandbox = Sandbox(ID, template, is_broke=False, real_ms=NOW_MS)
    unanswered = submit(PlanRequest(), 1, is_callback=True, has_room=True)
    for _ in range(count):
        run(driven, [callback_task(60_000), unanswered, record(200)])
    return driven.sandbox


def calls_during(sandbox: Sandbox, command: Command[Any]) -> int:
    """Return how many functions of Python and of C a command calls."""
    events: Counter[str] = Counter()

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        events[event] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        sandbox.apply(command)
    finally:
        sys.setprofile(before)
    return events["call"] + events["c_call"]


def calls_of_export(count: int) -> int:
    return calls_during(with_items(count), TakeSnapshot(real_ms=NOW_MS))


def calls_of_restore(count: int) -> int:
    sandbox = with_items(count)
    snapshot = prepared(sandbox.apply(TakeSnapshot(real_ms=NOW_MS)).snapshot())
    return calls_during(sandbox, Restore(real_ms=NOW_MS, snapshot=snapshot))


@pytest.mark.parametrize("calls", [calls_of_export, calls_of_restore])
def test_command_does_no_more_for_a_large_sandbox(calls: Any) -> None:
    assert calls(SMALL) == calls(LARGE)


@given(st.integers(1, 3))
def test_preparing_pauses_between_items(hundreds: int) -> None:
    """A step is at most a hundred tasks, deliveries or entries, or one rule."""
    sandbox = with_items(100 * hundreds)
    contents = sandbox.apply(TakeSnapshot(real_ms=NOW_MS))
    items = 2 * len(contents.tasks_by_id) + len(contents.entries)

    steps = sum(1 for _ in preparing_steps(contents.snapshot(), FAIL_MESSAGES))

    assert steps >= items / 100


@pytest.mark.parametrize("is_prepared", [True, False])
def test_result_of_an_attempt_does_not_reach_a_restored_state(*, is_prepared: bool) -> None:
    driven = run(Driven(), [callback_task(0)])
    [old] = driven.apply(ClaimDeliveries)
    snapshot = snapshot_of(driven)

    driven.apply(Restore, snapshot=prepared(snapshot) if is_prepared else snapshot)
    [new] = driven.apply(ClaimDeliveries)

    delivered = DeliveryResult(status=200)
    assert not driven.apply(RecordDelivery, claimed=old, delivered=delivered)
    assert driven.apply(RecordDelivery, claimed=new, delivered=delivered)
