"""A sandbox from a checkpoint is the sandbox, whatever happens before and after."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mock_server.domain.command_codec import FORMAT
from mock_server.domain.commands import (
    ChangeSettings,
    ExpectCallback,
    MatchRules,
    ReadStatus,
    RecordExchange,
    Restore,
    Submit,
)
from mock_server.domain.errors import DamagedLog, NewerFormat
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.planner import DEFAULT_REQUEST, SUCCESS_BY_DEFAULT, PlanRequest
from mock_server.domain.results import TaskView
from mock_server.domain.rules import RuleInput
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.snapshot import Snapshot, parse_snapshot
from mock_server.domain.submission import Submission
from mock_server.domain.task import Ending
from tests.mock_server.domain.any_value import any_value
from tests.mock_server.domain.strategies import CATALOGUE, FAIL_MESSAGES, MODEL, NOW_MS
from tests.mock_server.domain.test_sandbox_commands import (
    DEFAULTS,
    ID,
    SETTINGS,
    Driven,
    Step,
    about_task,
    callback_task,
    change_settings,
    parsed,
    postpone,
    run,
    sequences_of_owners,
    steps,
    steps_of_owners,
    submit,
)
from tests.properties import examples

EVERY_THIRD = parsed({"match": {"nth": "every 3"}, "apply": {"wire": "close"}})
OFTEN = parsed({"match": {"probability": 0.5, "times_each": 2}, "apply": {"latency": "5ms"}})
TEMPLATE = msgspec.structs.replace(DEFAULTS, rules=(EVERY_THIRD,), profile_rules=(OFTEN,))
OTHER_SERVER = SandboxTemplate(
    seed=8,
    settings=SandboxSettings(rate_limit=1, balance_microusd=1),
    clock=ClockSettings(mode="manual"),
    models=CATALOGUE.models,
    fail_messages=FAIL_MESSAGES,
)


def saved(sandbox: Sandbox) -> bytes:
    return b"".join(sandbox.checkpoint())


def of_template() -> Driven:
    driven = Driven()
    driven.sandbox = Sandbox(ID, TEMPLATE, is_broke=False, real_ms=NOW_MS)
    return driven


def match(operation: Operation, subject: str) -> Step:
    given = RuleInput(operation=operation, subject=subject)
    return lambda driven: driven.apply(MatchRules, rule_input=given)


def record(entry: Entry, headers_bytes: int | None) -> Step:
    return lambda driven: driven.apply(RecordExchange, entry=entry, headers_bytes=headers_bytes)


def rich_snapshot() -> Snapshot:
    """Return the snapshot of another server's sandbox, in which as much as possible is not zero."""
    driven = Driven()
    template = msgspec.structs.replace(OTHER_SERVER, settings=SETTINGS)
    driven.sandbox = Sandbox("fedcba9876543210", template, is_broke=True, real_ms=NOW_MS)
    polled = PlanRequest(ending=Ending(polls=3, reasons=("as told",)))
    run(
        driven,
        [
            change_settings(3, 400_000),
            callback_task(0),
            postpone(30_000, until_overtaken=True),
            submit(polled, 1, is_callback=False, has_room=True),
            about_task(ReadStatus, model_id=MODEL.id)(0),
            about_task(ReadStatus, model_id=MODEL.id)(0),
            change_settings(8, 400_000),
        ],
    )
    snapshot = parse_snapshot(driven.document(), CATALOGUE)
    assert snapshot.refused
    assert snapshot.tasks[1].polls_seen
    return msgspec.structs.replace(snapshot, journal_dropped=5)


RICH = rich_snapshot()


def restore_another(driven: Driven) -> None:
    driven.apply(Restore, snapshot=RICH)


def restore(driven: Driven) -> None:
    driven.apply(Restore, snapshot=parse_snapshot(driven.document(), CATALOGUE))


def change_profile(driven: Driven) -> None:
    settings = msgspec.structs.replace(SETTINGS, profile="hostile")
    driven.apply(ChangeSettings, settings=settings, profile_rules=(OFTEN, EVERY_THIRD))


any_step: st.SearchStrategy[Step] = st.one_of(
    steps,
    steps_of_owners,
    st.builds(match, st.sampled_from(Operation), st.sampled_from(["one", "two", "three"])),
    st.builds(record, any_value(Entry), st.none() | st.integers(0, 1000)),
    st.sampled_from([restore, restore_another, change_profile]),
)


class CheckpointMachine(RuleBasedStateMachine):
    """Two sandboxes with the same commands; one of them is replaced by its checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.original, self.reloaded = of_template(), of_template()

    @rule(step=any_step)
    def apply(self, step: Step) -> None:
        step(self.original)
        step(self.reloaded)

    @rule()
    def reload(self) -> None:
        self.reloaded.sandbox = Sandbox.of_checkpoint(saved(self.reloaded.sandbox), OTHER_SERVER)

    @invariant()
    def results_and_events_are_equal(self) -> None:
        assert self.reloaded.results == self.original.results

    @invariant()
    def checkpoints_are_equal(self) -> None:
        assert saved(self.reloaded.sandbox) == saved(self.original.sandbox)

    @invariant()
    def what_readers_see_is_equal(self) -> None:
        assert seen(self.reloaded) == seen(self.original)


TestCheckpointMachine = CheckpointMachine.TestCase
TestCheckpointMachine.settings = examples(100, steps=40)


def seen(driven: Driven) -> list[object]:
    """Return what a reader shows of a sandbox."""
    sandbox, real_ms = driven.sandbox, driven.real_ms + 5
    return [
        sandbox.id,
        sandbox.settings,
        sandbox.seed,
        sandbox.origin,
        sandbox.used_ms,
        sandbox.tasks(real_ms),
        sandbox.entries(),
        sandbox.dropped_entries,
        sandbox.deliveries(),
        sandbox.claim_owners(),
        sandbox.clock_holder,
        sandbox.rules(),
        sandbox.queue(),
        sandbox.clock(real_ms),
        sandbox.next_due_ms(),
        sandbox.real_wait_s(sandbox.next_due_ms(), real_ms),
    ]


@given(sequences_of_owners, sequences_of_owners)
def test_checkpoint_is_of_the_instant_when_it_was_begun(
    before: list[Step], later: list[Step]
) -> None:
    driven = run(of_template(), before)
    complete = saved(driven.sandbox)

    slices = driven.sandbox.checkpoint()
    first = next(slices)
    run(driven, later)

    assert first + b"".join(slices) == complete


def with_tasks(count: int, prompt: str = "a fox") -> Sandbox:
    """Return a sandbox with callback tasks and with a journal entry for each."""
    settings = msgspec.structs.replace(SETTINGS, max_concurrent=count, rate_limit=count)
    settings = msgspec.structs.replace(settings, balance_microusd=10**12)
    template = msgspec.structs.replace(TEMPLATE, settings=settings)
    sandbox = Sandbox(ID, template, is_broke=False, real_ms=NOW_MS)
    url = "http://127.0.0.1/hook"
    submission = Submission(prompt=prompt, ratio="1:1", num_images=1, callback_url=url)
    headers = ((b"authorization", b"Bearer [redacted]"), (b"accept", b"*/*"))
    for number in range(count):
        view = sandbox.apply(
            Submit(
                real_ms=NOW_MS + number,
                model_id="gpt-image-1",
                submission=submission,
                plan_request=DEFAULT_REQUEST,
                base_url="http://mock",
            )
        )
        assert isinstance(view, TaskView)
        task_id = view.task.id
        sandbox.apply(ExpectCallback(real_ms=NOW_MS + number, task_id=task_id))
        entry = Entry(
            NOW_MS, NOW_MS, Operation.SUBMIT, task_id, 200, 5, b"{}", b"{}", headers=headers
        )
        sandbox.apply(RecordExchange(real_ms=NOW_MS + number, entry=entry))
    return sandbox


def test_sandbox_from_a_checkpoint_shares_what_tasks_and_entries_have_in_common() -> None:
    sandbox = Sandbox.of_checkpoint(saved(with_tasks(2500)), OTHER_SERVER)

    tasks, _ = sandbox.tasks(NOW_MS)
    assert len({id(task.order) for task in tasks}) == 1
    assert {id(task.ending) for task in tasks} == {id(SUCCESS_BY_DEFAULT)}
    ids = {task.id: task.id for task in tasks}
    assert all(each.task_id is ids[each.task_id] for each in sandbox.deliveries())
    entries = [entry for _, entry in sandbox.entries()]
    assert len({id(entry.headers) for entry in entries}) < 5


def test_sandboxes_from_checkpoints_share_the_values_of_their_server() -> None:
    template = msgspec.structs.replace(OTHER_SERVER, rules=(EVERY_THIRD,))
    raw = saved(Sandbox(ID, template, is_broke=False, real_ms=NOW_MS))

    one, other = Sandbox.of_checkpoint(raw, template), Sandbox.of_checkpoint(raw, template)

    assert one.settings is template.settings
    assert one.rules()[0][0].definition is other.rules()[0][0].definition


@given(st.permutations(list(Operation)))
def test_equal_rules_are_written_alike(operations: list[Operation]) -> None:
    usual = parsed({"match": {"operation": list(Operation)}, "apply": {"latency": 1}})
    named = parsed({"match": {"operation": operations}, "apply": {"latency": 1}})

    # A set would have another order in another process.
    assert named.conditions.operations == usual.conditions.operations == tuple(Operation)


def test_slices_of_a_checkpoint_are_small() -> None:
    slices = list(with_tasks(2500, prompt="a long story " * 500).checkpoint())

    assert len(slices) > 10
    assert max(map(len, slices)) < 2 * 1024 * 1024


def test_newer_format_of_a_checkpoint_is_named() -> None:
    raw = bytes([FORMAT + 1]) + saved(of_template().sandbox)[1:]

    with pytest.raises(NewerFormat, match=f"the checkpoint has format {FORMAT + 1}"):
        Sandbox.of_checkpoint(raw, OTHER_SERVER)


@given(sequences_of_owners, st.data())
def test_truncated_checkpoint_is_damaged(before: list[Step], data: st.DataObject) -> None:
    raw = saved(run(of_template(), before).sandbox)
    end = data.draw(st.integers(0, len(raw) - 1))

    with pytest.raises(DamagedLog):
        Sandbox.of_checkpoint(raw[:end], OTHER_SERVER)


@given(sequences_of_owners, st.data())
def test_checkpoint_without_its_first_or_last_slice_is_damaged(
    before: list[Step], data: st.DataObject
) -> None:
    slices = list(run(of_template(), before).sandbox.checkpoint())
    del slices[data.draw(st.sampled_from([0, len(slices) - 1]))]

    with pytest.raises(DamagedLog):
        Sandbox.of_checkpoint(b"".join(slices), OTHER_SERVER)


@given(sequences_of_owners, st.data())
def test_changed_byte_of_a_checkpoint_is_noticed(before: list[Step], data: st.DataObject) -> None:
    raw = bytearray(saved(run(of_template(), before).sandbox))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises((DamagedLog, NewerFormat)):
        Sandbox.of_checkpoint(bytes(raw), OTHER_SERVER)
