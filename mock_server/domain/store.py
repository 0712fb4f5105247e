"""What a store does for the server: few, coarse operations, each atomic and one round trip.

Every operation is told the real instant and answers with the sandbox's instant at which it
took place, so that one answer describes one moment.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from mock_server.domain.catalogue import Model
from mock_server.domain.clock import Mode
from mock_server.domain.deliveries import Claim, Delivery
from mock_server.domain.faults.injected import Injected
from mock_server.domain.journal import Entry
from mock_server.domain.news import Watcher
from mock_server.domain.planner import Brief
from mock_server.domain.ports import Sent
from mock_server.domain.rule_book import QueuedRule, Rule, RuleMatch
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.submission import Submission
from mock_server.domain.tally import Tally
from mock_server.domain.task import Task


class Refusal(StrEnum):
    """Why a request gets nothing."""

    RATE_LIMIT = "rate limit"  # LIM-1
    CONCURRENCY = "concurrency"  # LIM-2
    CREDITS = "credits"  # SUB-17
    NO_TASK = "no task"  # STA-2
    FULL = "full"  # the mock's own bound


class Refused(msgspec.Struct, frozen=True, gc=False):
    reason: Refusal
    now_ms: int
    wait_ms: int = 0  # until it would be let through, where that is known


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A task as it stands at an instant."""

    task: Task
    now_ms: int
    ends_now: bool = False  # this very request ended it (`polls`)


class Counted(msgspec.Struct, frozen=True, gc=False):
    """A request that was let through and needs nothing of the store."""

    now_ms: int
    balance_microusd: int


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    mode: Mode
    speed: float
    now_ms: int


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    requests: int
    refused: int
    succeeded: int
    failed: int
    dropped_tasks: int
    live_tasks: int
    balance_microusd: int
    journal_entries: int
    journal_bytes: int
    journal_dropped: int


class Sandbox(Protocol):
    """Everything of one API key (AUTH-4)."""

    @property
    def id(self) -> str: ...
    @property
    def settings(self) -> SandboxSettings: ...
    @property
    def seed(self) -> int:
        """What its chance is drawn from, together with `origin`."""

    @property
    def origin(self) -> str:
        """Its id, or that of the sandbox whose snapshot it was restored from."""

    @property
    def has_rules(self) -> bool:
        """Whether `match_rules` can match anything."""

    @property
    def is_dropped(self) -> bool:
        """The store has let go of it; ask the store for it again."""

    async def admit(
        self, model: Model, submission: Submission, brief: Brief, base_url: str, real_ms: int
    ) -> Seen | Refused:
        """Let a submit through the limits, take its price and keep its task."""

    async def observe(self, model_id: str, task_id: str, real_ms: int) -> Seen | Refused:
        """Let a status request through the limit and show the task."""

    async def count(self, real_ms: int) -> Counted | Refused:
        """Let any other request through the limit; 400 and 404 included (LIM-4)."""

    def record(self, entry: Entry) -> None:
        """Write an entry into the journal; never waits."""

    async def expect_callback(self, task_id: str) -> None:
        """Deliver the end of a callback task, now that its submit has been answered (CB-1)."""

    async def finish(
        self, task_id: str, fail_code: str | None, fail_message: str | None, real_ms: int
    ) -> Seen | None:
        """End a task now, as told; None when there is none. Raises TaskEnded."""

    async def task(self, task_id: str, real_ms: int) -> Seen | None:
        """Look at a task without counting, as control does."""

    async def tasks(self, real_ms: int) -> tuple[Sequence[Task], int]:
        """Return all tasks, newest first, and the present instant."""

    async def entries(self, since: int = 0) -> Sequence[tuple[int, Entry]]:
        """Return number and entry of the journal after that number, oldest first."""

    async def patterns_for(self, rule_input: RuleInput) -> Sequence[str]:
        """Return the regular expressions that its rules need to know about a prompt."""

    async def match_rules(self, rule_input: RuleInput) -> RuleMatch | None:
        """Return the rule that matches, and count it."""

    async def rules(self) -> tuple[Sequence[Rule], Sequence[Rule]]:
        """Return the sandbox's own rules and those of its profile."""

    async def set_rules(self, definitions: Sequence[RuleDefinition]) -> None: ...
    async def add_rule(self, definition: RuleDefinition) -> None: ...
    async def put_next(self, definition: RuleDefinition, count: int) -> None: ...
    async def queue(self) -> Sequence[QueuedRule]:
        """Return what waits to be applied next, before the rules."""

    async def hasten(self, task_id: str, rule: str, real_ms: int) -> None:
        """End a task now, as planned, for a rule wants its callback early."""

    def watch(self, watcher: Watcher) -> None:
        """Tell a watcher of everything from now on."""

    def unwatch(self, watcher: Watcher) -> None: ...
    async def deliveries(self, task_id: str | None = None) -> Sequence[Delivery]: ...
    async def counters(self, real_ms: int) -> Counters: ...
    async def change(
        self,
        settings: SandboxSettings,
        balance_microusd: int | None,
        real_ms: int,
        profile_rules: Sequence[RuleDefinition] | None = None,
    ) -> None:
        """Take other settings, and another balance and other rules of a profile unless None."""

    async def reset(self, real_ms: int) -> None:
        """Drop everything and begin again from the seed."""

    async def snapshot(self, real_ms: int) -> Snapshot:
        """Return everything of the sandbox; headers still hold what they held."""

    async def restore(
        self, snapshot: Snapshot, fail_codes: Mapping[str, str], real_ms: int
    ) -> None:
        """Hold what the snapshot holds, and nothing else. Raises StoreFull and changes nothing."""

    async def clock(self, real_ms: int) -> ClockReading: ...
    async def set_clock(self, mode: Mode, speed: float, real_ms: int) -> ClockReading: ...
    async def hold_clock(self, real_ms: int) -> int:
        """Stop the clock while time is moved by hand; return where it stands."""

    async def move_clock(self, instant_ms: int) -> None: ...
    async def release_clock(self, real_ms: int) -> None: ...
    async def next_due_ms(self) -> int | None:
        """Return when the next callback attempt falls due."""

    async def wait_s(self, real_ms: int) -> float | None:
        """Return the real seconds until the next attempt; None: none comes by itself."""

    async def wait_until_s(self, instant_ms: int | None, real_ms: int) -> float | None:
        """Return the real seconds until an instant; None: it does not come by itself."""

    async def claim(self, real_ms: int) -> Sequence[Claim]:
        """Take the callback attempts that are due."""

    async def put_off(
        self,
        claim: Claim,
        by_ms: int,
        real_ms: int,
        by: tuple[str, tuple[Injected, ...]],
        *,
        is_overtaken: bool = False,
    ) -> None:
        """Make a claimed attempt later, or as soon as another one has gone before."""

    async def settle(self, claim: Claim, sent: Sent, real_ms: int) -> bool:
        """Record what came of a claimed attempt; False when it was dropped meanwhile."""


class Store(Protocol):
    @property
    def tally(self) -> Tally:
        """What all its sandboxes have done, those that are gone included."""

    async def sandbox(self, sandbox_id: str, *, is_broke: bool, real_ms: int) -> Sandbox:
        """Return the sandbox of this id, made if need be; broke ones begin without credit."""

    async def find(self, sandbox_id: str) -> Sandbox | None: ...
    async def holder(self, task_id: str) -> Sandbox | None:
        """Return the sandbox of a task: its own one, or one that was restored with it."""

    async def sandboxes(self) -> Sequence[Sandbox]: ...
    async def drop_all(self) -> None: ...
