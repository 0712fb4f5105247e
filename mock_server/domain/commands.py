"""Everything that can be done to a sandbox, as values: `Sandbox.apply(command)` returns a result.

A command holds plain values only, the real instant included. Whatever is not deterministic (the
real time, the search for a regular expression, the judgement of a downloaded image) is decided
before and travels in the command, so that the same commands in the same order always give the
same sandbox.
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
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.submission import Submission

R = TypeVar("R")


class Command(msgspec.Struct, Generic[R], frozen=True, kw_only=True, gc=False):
    """A change of a sandbox whose result is an `R`.

    `real_ms` is the real instant in Unix milliseconds; the sandbox's clock turns it into its own.
    """

    real_ms: int


class Submit(Command[TaskView | Rejection], frozen=True, kw_only=True, gc=False):
    """Pass the limits, take the price and add the task (LIM-1 … LIM-4, SUB-17, BIL-1).

    `has_room` is False when the server's bound on all tasks leaves no room for one more.
    """

    model_id: str
    submission: Submission
    plan_request: PlanRequest
    base_url: str
    has_room: bool = True


class ReadStatus(Command[TaskView | Rejection], frozen=True, kw_only=True, gc=False):
    """Pass the rate limit and return the task, as a client's status request does."""

    model_id: str
    task_id: str


class CountRequest(Command[BalanceView | Rejection], frozen=True, kw_only=True, gc=False):
    """Pass the rate limit with any other request; 400 and 404 count, too (LIM-4)."""


class RecordExchange(Command[None], frozen=True, kw_only=True, gc=False):
    """Add an entry to the journal."""

    entry: Entry


class MatchRules(Command[RuleMatch | None], frozen=True, kw_only=True, gc=False):
    """Return what a rule injects here, and count it.

    Where `rule_input.task_id` is a task of the sandbox, the task's prompt and state are filled in.
    """

    rule_input: RuleInput


class SetRules(Command[None], frozen=True, kw_only=True, gc=False):
    definitions: Sequence[RuleDefinition]


class AddRule(Command[None], frozen=True, kw_only=True, gc=False):
    definition: RuleDefinition


class PushNext(Command[None], frozen=True, kw_only=True, gc=False):
    """Queue what the next `count` matching requests or callback attempts get."""

    definition: RuleDefinition
    count: int


class FinishTask(Command[TaskView | Rejection], frozen=True, kw_only=True, gc=False):
    """End a task now, with the outcome that control wants; no fail code means success."""

    task_id: str
    fail_code: str | None = None
    fail_message: str | None = None


class CompleteEarly(Command[None], frozen=True, kw_only=True, gc=False):
    """End a task now with its planned outcome: a rule sends its callback early."""

    task_id: str
    rule_id: str


class DropTask(Command[None], frozen=True, kw_only=True, gc=False):
    """Forget an ended task, because the server's bound on all tasks needs its room."""

    task_id: str


class NoticeEnds(Command[None], frozen=True, kw_only=True, gc=False):
    """Count and pay what has ended by now. This is no use of the sandbox."""


class ExpectCallback(Command[None], frozen=True, kw_only=True, gc=False):
    """Deliver the end of a callback task, now that its submit has been answered (CB-1)."""

    task_id: str


class ClaimDeliveries(Command[Sequence[DueDelivery]], frozen=True, kw_only=True, gc=False):
    """Take every callback attempt that is due, in order of time."""


class PostponeDelivery(Command[None], frozen=True, kw_only=True, gc=False):
    """Make a claimed attempt `delay_ms` later, because a rule says so.

    With `until_overtaken` it becomes due as soon as another delivery has been attempted.
    """

    claimed: DueDelivery
    delay_ms: int
    match: RuleMatch
    until_overtaken: bool = False


class RecordDelivery(Command[bool], frozen=True, kw_only=True, gc=False):
    """Record the result of a claimed attempt and plan the next one (CB-2, CB-3).

    The result is False when the delivery was dropped during the attempt.
    """

    claimed: DueDelivery
    delivered: DeliveryResult


class SetClock(Command[ClockReading], frozen=True, kw_only=True, gc=False):
    """Change the clock's mode or speed, from the present instant on."""

    mode: Mode
    speed: float


class HoldClock(Command[int], frozen=True, kw_only=True, gc=False):
    """Stop the clock while time is moved by hand; return its instant."""


class MoveClock(Command[None], frozen=True, kw_only=True, gc=False):
    """Move a held clock forward to an instant; an earlier one changes nothing."""

    instant_ms: int


class ReleaseClock(Command[None], frozen=True, kw_only=True, gc=False):
    """Let a held clock go on from where it stands."""


class ChangeSettings(Command[None], frozen=True, kw_only=True, gc=False):
    """Replace the settings; None keeps the balance or the profile's rules."""

    settings: SandboxSettings
    balance_microusd: int | None = None
    profile_rules: Sequence[RuleDefinition] | None = None


class ReadCounters(Command[Counters], frozen=True, kw_only=True, gc=False):
    """Count what has ended by now and return all counters. This is no use of the sandbox."""


class TakeSnapshot(Command[Snapshot], frozen=True, kw_only=True, gc=False):
    """Return everything of the sandbox; headers in its journal still hold what they held."""


class Restore(Command[None], frozen=True, kw_only=True, gc=False):
    """Replace everything of the sandbox by a checked snapshot."""

    snapshot: Snapshot


class Reset(Command[None], frozen=True, kw_only=True, gc=False):
    """Drop everything and begin again from the seed."""
