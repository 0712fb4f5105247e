"""The sandbox of one API key: commands change it, readers show its state.

The same commands in the same order always give the same results and the same snapshot.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Self

from mock_server.domain import commands
from mock_server.domain.commands import Command, R
from mock_server.domain.deliveries import Delivery
from mock_server.domain.events import Event
from mock_server.domain.headers import Header
from mock_server.domain.journal import Entry, Journal
from mock_server.domain.results import ClockReading, Counters, TaskView
from mock_server.domain.rule_book import QueuedRule, RuleState
from mock_server.domain.rules import RuleInput
from mock_server.domain.sandbox import callbacks, control, requests, snapshots
from mock_server.domain.sandbox.state import SandboxState, SandboxTemplate
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.task import Task

_TASK_BYTES = 250
_ENTRY_SAVED_BYTES = 300  # In memory, a journal entry is so much larger than encoded.

_HANDLERS: dict[type[Command[Any]], Callable[[SandboxState, Any], Any]] = {
    commands.Submit: requests.submit,
    commands.ReadStatus: requests.read_status,
    commands.CountRequest: requests.count_request,
    commands.RecordExchange: requests.record_exchange,
    commands.AnswerStatus: requests.answer_status,
    commands.TrimJournal: requests.trim_journal,
    commands.ExpectCallback: callbacks.expect_callback,
    commands.ClaimDeliveries: callbacks.claim_deliveries,
    commands.PostponeDelivery: callbacks.postpone_delivery,
    commands.RecordDelivery: callbacks.record_delivery,
    commands.ReleaseClaims: callbacks.release_claims,
    commands.FinishTask: control.finish_task,
    commands.CompleteEarly: control.complete_early,
    commands.DropTask: control.drop_task,
    commands.NoticeEnds: control.notice_ends,
    commands.MatchRules: control.match_rules,
    commands.SetRules: control.set_rules,
    commands.AddRule: control.add_rule,
    commands.PushNext: control.push_next,
    commands.CancelNext: control.cancel_next,
    commands.ChangeSettings: control.change_settings,
    commands.SetClock: control.set_clock,
    commands.HoldClock: control.hold_clock,
    commands.MoveClock: control.move_clock,
    commands.ReleaseClock: control.release_clock,
    commands.ReadCounters: control.read_counters,
    commands.Reset: control.reset,
    commands.TakeSnapshot: snapshots.take_snapshot,
    commands.Restore: snapshots.restore,
}


class Sandbox:
    """The sandbox of one API key (AUTH-4). It implements `domain.store.SandboxReader`."""

    __slots__ = ("_state", "events", "id")

    def __init__(
        self, sandbox_id: str, template: SandboxTemplate, *, is_broke: bool, real_ms: int
    ) -> None:
        self.id = sandbox_id
        self._state = SandboxState(sandbox_id, template, is_broke=is_broke, real_ms=real_ms)
        # What commands have caused, in order. Whoever has told it to others clears the list.
        self.events: list[Event] = self._state.events

    def apply(self, command: Command[R]) -> R:
        """Apply a command and return its result."""
        result: R = _HANDLERS[type(command)](self._state, command)
        return result

    def checkpoint(self) -> Iterator[bytes]:
        """Return the slices of a checkpoint, which together are the exact present state.

        Pending events are not part of it. The slices are made one by one, so a
        caller may do other things in between, and the sandbox may change meanwhile.
        """
        # Only stores that keep a log need checkpoints.
        from mock_server.domain.sandbox.checkpoint_writer import checkpoint_of  # noqa: PLC0415

        return checkpoint_of(self._state)

    @classmethod
    def of_checkpoint(cls, raw: bytes, template: SandboxTemplate) -> Self:
        """Return the sandbox in a checkpoint; only the catalogue is the one of the template.

        Raises NewerFormat, DamagedLog.
        """
        from mock_server.domain.sandbox.checkpoint_reader import (  # noqa: PLC0415  # as above
            state_of_checkpoint,
        )

        state = state_of_checkpoint(raw, template)
        sandbox = cls.__new__(cls)
        sandbox.id, sandbox.events = state.id, state.events
        sandbox._state = state  # noqa: SLF001  # An object of this class.
        return sandbox

    def replace_by(self, other: "Sandbox") -> None:
        """Continue with the state of another object for the same sandbox."""
        self._state = other._state  # noqa: SLF001  # It is of this class.
        self.events = other.events

    def begins_like(self, template: SandboxTemplate) -> bool:
        """Tell whether the sandbox has the initial values of a template, as new ones have."""
        own = self._state.template
        return (own.seed, own.settings, own.clock, own.rules, own.profile_rules) == (
            template.seed, template.settings, template.clock, template.rules,
            template.profile_rules,
        )  # fmt: skip

    @property
    def settings(self) -> SandboxSettings:
        return self._state.settings

    @property
    def seed(self) -> int:
        return self._state.seed

    @property
    def origin(self) -> str:
        return self._state.origin

    @property
    def has_rules(self) -> bool:
        book = self._state.book
        return bool(book.rules or book.profile or book.queue)

    @property
    def last_entry(self) -> int:
        """The number of the newest journal entry, 0 if there is none."""
        return self._state.journal.last

    @property
    def newest_entry(self) -> Entry:
        """The newest journal entry. There must be one."""
        return self._state.journal.newest

    @property
    def changes(self) -> int:
        return self._state.changes

    @property
    def dropped_entries(self) -> int:
        return self._state.journal.dropped

    @property
    def has_live_tasks(self) -> bool:
        """Whether any task has not been settled yet."""
        return self._state.ledger.live > 0

    @property
    def used_ms(self) -> int:
        return self._state.used_ms

    @property
    def latest_real_ms(self) -> int:
        """The latest real instant that its state depends on."""
        return max(self._state.used_ms, self._state.clock.base_real_ms)

    @property
    def has_requests(self) -> bool:
        state = self._state
        return bool(state.responses or state.requests or state.rejected)

    def has_task(self, task_id: str) -> bool:
        return task_id in self._state.tasks

    @property
    def has_deliveries(self) -> bool:
        """Whether any task has a callback."""
        return bool(self._state.deliveries)

    def ends_by_polls(self, task_id: str) -> bool:
        """Tell whether status requests decide when a task ends."""
        task = self._state.tasks.get(task_id)
        return task is not None and task.ends_by_polls

    @property
    def task_count(self) -> int:
        return len(self._state.tasks)

    @property
    def size_bytes(self) -> int:
        """About how many bytes a checkpoint has; the same for equal states."""
        journal = self._state.journal
        entries_bytes = journal.bytes - len(journal) * _ENTRY_SAVED_BYTES
        return len(self._state.tasks) * _TASK_BYTES + entries_bytes

    @property
    def journal(self) -> Journal:
        return self._state.journal

    def max_unsettled(self, real_ms: int) -> int:
        ledger = self._state.ledger
        return ledger.live if ledger.due_ms <= self._state.clock.now_ms(real_ms) else 0

    def counters(self, real_ms: int) -> Counters | None:
        return None if self.max_unsettled(real_ms) else control.counters_of(self._state)

    def task(self, task_id: str, real_ms: int) -> TaskView | None:
        task = self._state.tasks.get(task_id)
        return None if task is None else TaskView(task, self._state.clock.now_ms(real_ms))

    def tasks(self, real_ms: int) -> tuple[Sequence[Task], int]:
        state = self._state
        return list(reversed(state.tasks.values())), state.clock.now_ms(real_ms)

    def entries(self, since: int = 0) -> Sequence[tuple[int, Entry]]:
        return list(self._state.journal.since(since))

    def deliveries(self) -> Sequence[Delivery]:
        return list(self._state.deliveries)

    def rules(self) -> tuple[Sequence[RuleState], Sequence[RuleState]]:
        book = self._state.book
        return list(map(RuleState.of, book.rules)), list(map(RuleState.of, book.profile))

    def queue(self) -> Sequence[QueuedRule]:
        return list(self._state.book.queue)

    def may_match(self, rule_input: RuleInput, real_ms: int) -> bool:
        return self._state.book.may_match(self._state.described(rule_input, real_ms))

    def header_conditions(self) -> AbstractSet[Header]:
        return self._state.book.header_conditions()

    def patterns_for(self, rule_input: RuleInput, real_ms: int) -> tuple[Sequence[str], str]:
        described = self._state.described(rule_input, real_ms)
        return self._state.book.patterns_for(described), described.prompt or ""

    def clock(self, real_ms: int) -> ClockReading:
        return self._state.clock_reading(real_ms)

    @property
    def clock_holder(self) -> str | None:
        return self._state.clock.holder

    def claim_owners(self) -> frozenset[str]:
        holder = self._state.clock.holder
        owners = self._state.deliveries.owners()
        return owners if holder is None else owners | {holder}

    def claim_of(self, task_id: str) -> int:
        return self._state.deliveries.claim_of(task_id)

    def claims_of(self, owner: str) -> frozenset[int]:
        return self._state.deliveries.claims_of(owner)

    def next_due_ms(self) -> int | None:
        return self._state.deliveries.next_due_ms()

    def real_wait_s(self, instant_ms: int | None, real_ms: int) -> float | None:
        return None if instant_ms is None else self._state.clock.real_wait_s(instant_ms, real_ms)
