"""A sandbox from a checkpoint is the sandbox, whatever happens before and after."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mock_server.domain.commands import (
    ChangeSettings,
    MatchRules,
    ReadStatus,
    RecordExchange,
    Restore,
)
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.planner import PlanRequest
from mock_server.domain.rules import RuleInput
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.snapshot import EntrySnapshot, Snapshot, parse_snapshot
from mock_server.domain.task import Ending
from tests.mock_server.domain.any_value import any_value
from tests.mock_server.domain.checkpoints import (
    EVERY_THIRD,
    OFTEN,
    OTHER_SERVER,
    of_template,
    saved,
)
from tests.mock_server.domain.driven import SETTINGS, Driven, Step, parsed, run
from tests.mock_server.domain.steps import (
    about_task,
    callback_task,
    change_settings,
    postpone,
    sequences_of_owners,
    steps,
    steps_of_owners,
    submit,
)
from tests.mock_server.domain.strategies import CATALOGUE, MODEL, NOW_MS
from tests.properties import examples


def match(operation: Operation, subject: str) -> Step:
    given = RuleInput(operation=operation, subject=subject)
    return lambda driven: driven.apply(MatchRules, rule_input=given)


def record(entry: Entry) -> Step:
    return lambda driven: driven.apply(RecordExchange, entry=entry)


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
    # Entries that the mock can have written; others could not be restored from a snapshot.
    st.builds(record, any_value(EntrySnapshot).map(EntrySnapshot.entry)),
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


@given(st.permutations(list(Operation)))
def test_equal_rules_are_written_alike(operations: list[Operation]) -> None:
    usual = parsed({"match": {"operation": list(Operation)}, "apply": {"latency": 1}})
    named = parsed({"match": {"operation": operations}, "apply": {"latency": 1}})

    # A set would have another order in another process.
    assert named.conditions.operations == usual.conditions.operations == tuple(Operation)
