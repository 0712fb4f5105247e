"""The commands of a sandbox: `Sandbox.apply(command)` changes the sandbox and returns a result.

A command contains plain values only. Everything that is not deterministic is decided before and
becomes part of the command: the real time, the result of a regular expression search, the check
of a downloaded image. So the same commands in the same order always give the same sandbox.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from mock_server.domain.clock import Mode
from mock_server.domain.deliveries import DueDelivery
from mock_server.domain.journal import Entry
from mock_server.domain.planner import PlanRequest
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.results import BalanceView, ClockReading, Counters, Rejection, TaskView
from mock_server.domain.rule_book import QueuedRule, RuleMatch
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.sandbox_contents import SandboxContents
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.submission import Submission
from mock_server.domain.task import TaskState

R = TypeVar("R")


class Command(
    msgspec.Struct, Generic[R], frozen=True, kw_only=True, gc=False, array_like=True, tag=True
):
    """A change of a sandbox whose result is an `R`.

    `real_ms` is the real instant in Unix milliseconds; the sandbox's clock turns it into its own.
    In a log, a command has the name of its class (`command_codec.py`).
    """

    real_ms: int


class Submit(Command[TaskView | Rejection], frozen=True, kw_only=True, gc=False):
    """Check the limits, reserve the price and add the task (LIM-1 … LIM-4, SUB-17, BIL-1).

    `has_room` is False when the server has reached its task limit and cannot drop a task. For
    `known_changes` see `ReadStatus`.
    """

    model_id: str
    submission: Submission
    plan_request: PlanRequest
    base_url: str
    has_room: bool = True
    known_changes: int | None = None


class ReadStatus(Command[TaskView | Rejection], frozen=True, kw_only=True, gc=False):
    """Count a client's status request and return the task; rejected above the rate limit.

    `known_changes` is `SandboxReader.changes` at the start of the request. If it is another number
    now, the command raises SandboxChanged and has no effect. None leaves this unchecked.
    """

    model_id: str
    task_id: str
    known_changes: int | None = None


class CountRequest(Command[BalanceView | Rejection], frozen=True, kw_only=True, gc=False):
    """Count any other request and return the balance; 400 and 404 count as well (LIM-4).

    For `known_changes` see `ReadStatus`.
    """

    known_changes: int | None = None


class RecordExchange(Command[int], frozen=True, kw_only=True, gc=False):
    """Add an entry to the journal and return its number."""

    entry: Entry


class TrimJournal(Command[int], frozen=True, kw_only=True, gc=False):
    """Drop the oldest journal entries until the others weigh at most `max_bytes`; return how many.

    A store adds this command when the journals of all its sandboxes use too much memory.
    """

    max_bytes: int


class AnswerStatus(Command[int], frozen=True, kw_only=True, gc=False):
    """Count a status request and add its entry to the journal; return the number of the entry.

    The process has foreseen the response from what it knew of the sandbox. If the response would be
    another one, the command raises SandboxChanged and has no effect. The task has not ended: then
    its state determines the response. The entry gets the instant at which the request is counted,
    which is within the same second, so the `Date` is right.

    For `known_changes` see `ReadStatus`.
    """

    model_id: str
    state: TaskState
    entry: Entry
    known_changes: int | None = None


class MatchRules(Command[RuleMatch | None], frozen=True, kw_only=True, gc=False):
    """Return the first rule that matches, and count the match.

    If `rule_input.task_id` is a task of the sandbox, its prompt and state are filled in.
    """

    rule_input: RuleInput


class SetRules(Command[None], frozen=True, kw_only=True, gc=False):
    """Replace the sandbox's own rules; the rules of its profile stay."""

    definitions: Sequence[RuleDefinition]


class AddRule(Command[None], frozen=True, kw_only=True, gc=False):
    """Append a rule to the sandbox's own rules."""

    definition: RuleDefinition


class PushNext(Command[QueuedRule], frozen=True, kw_only=True, gc=False):
    """Queue a rule for the next `count` requests or callback attempts that match it; return it."""

    definition: RuleDefinition
    count: int


class CancelNext(Command[bool], frozen=True, kw_only=True, gc=False):
    """Remove a queued rule, or all of them without `rule_id`.

    The result is False if no queued rule has this id.
    """

    rule_id: str | None = None


class FinishTask(Command[TaskView | Rejection], frozen=True, kw_only=True, gc=False):
    """End a task now, with the outcome given by the control plane; no fail code means success."""

    task_id: str
    fail_code: str | None = None
    fail_message: str | None = None


class CompleteEarly(Command[None], frozen=True, kw_only=True, gc=False):
    """End a task now with its planned outcome, because a rule sends its callback early."""

    task_id: str
    rule_id: str


class DropTask(Command[None], frozen=True, kw_only=True, gc=False):
    """Drop an ended task, because the server has reached its task limit."""

    task_id: str


class NoticeEnds(Command[None], frozen=True, kw_only=True, gc=False):
    """Settle at most `limit` of the tasks that have ended by now (None: all), in order of time.

    The sandbox does not count as used.
    """

    limit: int | None = None


class ExpectCallback(Command[None], frozen=True, kw_only=True, gc=False):
    """Schedule the callback of a task, now that its submit has been answered (CB-1)."""

    task_id: str


class ClaimDeliveries(Command[Sequence[DueDelivery]], frozen=True, kw_only=True, gc=False):
    """Claim the callback attempts that are due, in order of time, at most `limit` of them.

    `owner` is the process that will make the attempts. It gets nothing while another owner holds
    the clock. Without `limit`, every due attempt is claimed.
    """

    owner: str = ""
    limit: int | None = None


class ReleaseClaims(Command[int], frozen=True, kw_only=True, gc=False):
    """End the claims of an owner that cannot make its attempts; they are due again at once.

    The result is their number. A clock that this owner holds is released. With `kept`, the claims
    with these numbers and the clock stay as they are: the owner itself continues with them.
    """

    owner: str = ""
    kept: tuple[int, ...] | None = None


class PostponeDelivery(Command[None], frozen=True, kw_only=True, gc=False):
    """Make a claimed attempt `delay_ms` milliseconds later, because a rule delays it.

    With `until_overtaken` it becomes due earlier: as soon as another delivery has been attempted.
    """

    claimed: DueDelivery
    delay_ms: int
    match: RuleMatch
    until_overtaken: bool = False


class RecordDelivery(Command[bool], frozen=True, kw_only=True, gc=False):
    """Record the result of a claimed attempt and plan the next one (CB-2, CB-3).

    `ended_ms` is the instant from which the next attempt counts, by default now. The result is
    False when the delivery was dropped during the attempt.
    """

    claimed: DueDelivery
    delivered: DeliveryResult
    ended_ms: int | None = None


class SetClock(Command[ClockReading], frozen=True, kw_only=True, gc=False):
    """Change the clock's mode or speed from the current instant on; None leaves it as it is."""

    mode: Mode | None = None
    speed: float | None = None


class HoldClock(Command[int | None], frozen=True, kw_only=True, gc=False):
    """Stop the clock while its holder moves it; return its current instant.

    The result is None if another owner holds it. `owner` is a process.
    """

    owner: str = ""


class MoveClock(Command[bool], frozen=True, kw_only=True, gc=False):
    """Move a held clock forward to an instant; an earlier instant changes nothing.

    The result is False, and nothing changes, if this owner does not hold the clock.
    """

    instant_ms: int
    owner: str = ""


class ReleaseClock(Command[None], frozen=True, kw_only=True, gc=False):
    """Let a clock that this owner holds continue from its current instant."""

    owner: str = ""


class ChangeSettings(Command[None], frozen=True, kw_only=True, gc=False):
    """Replace the settings; None keeps the balance or the profile's rules.

    For `known_changes` see `ReadStatus`.
    """

    settings: SandboxSettings
    balance_microusd: int | None = None
    profile_rules: Sequence[RuleDefinition] | None = None
    known_changes: int | None = None


class ReadCounters(Command[Counters], frozen=True, kw_only=True, gc=False):
    """Settle the tasks that have ended by now and return all counters.

    The sandbox does not count as used.
    """


class TakeSnapshot(Command[SandboxContents], frozen=True, kw_only=True, gc=False):
    """Return the contents of the sandbox; headers in its journal are not redacted."""


class Restore(Command[None], frozen=True, kw_only=True, gc=False):
    """Replace the complete state of the sandbox by a checked snapshot."""

    snapshot: Snapshot


class Reset(Command[None], frozen=True, kw_only=True, gc=False):
    """Drop the complete state and start again from the seed."""
