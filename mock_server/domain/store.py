"""The store: where the commands of all sandboxes go, and what reads them.

A store applies the commands of one sandbox in one order. It hands out values only; the reader of
a sandbox shows its present state and changes nothing.
"""

from collections.abc import Sequence
from typing import Protocol

from mock_server.domain.commands import Command, R
from mock_server.domain.deliveries import Delivery
from mock_server.domain.events import Follower
from mock_server.domain.journal import Entry
from mock_server.domain.results import ClockReading, TaskView
from mock_server.domain.rule_book import QueuedRule, RuleState
from mock_server.domain.rules import RuleInput
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.server_metrics import ServerMetrics
from mock_server.domain.task import Task


class SandboxReader(Protocol):
    """The state of one API key's sandbox (AUTH-4), to look at.

    Instants that it takes are real (`real_ms`); those that it returns are of the sandbox's clock.
    """

    @property
    def id(self) -> str: ...
    @property
    def settings(self) -> SandboxSettings: ...
    @property
    def seed(self) -> int:
        """The seed of its chance, together with `origin`."""

    @property
    def origin(self) -> str:
        """Its id, or the id of the sandbox whose snapshot was restored in it."""

    @property
    def has_rules(self) -> bool:
        """Whether `MatchRules` can match anything."""

    def task(self, task_id: str, real_ms: int) -> TaskView | None:
        """Return a task without counting a request, as control does."""

    def tasks(self, real_ms: int) -> tuple[Sequence[Task], int]:
        """Return all tasks, newest first, and the present instant."""

    def entries(self, since: int = 0) -> Sequence[tuple[int, Entry]]:
        """Return number and entry of the journal after that number, oldest first."""

    @property
    def dropped_entries(self) -> int:
        """How many entries of the journal were dropped for its bounds."""

    def deliveries(self) -> Sequence[Delivery]: ...
    def rules(self) -> tuple[Sequence[RuleState], Sequence[RuleState]]:
        """Return the sandbox's own rules and those of its profile."""

    def queue(self) -> Sequence[QueuedRule]:
        """Return what `next` has queued, which goes before the rules."""

    def patterns_for(self, rule_input: RuleInput, real_ms: int) -> tuple[Sequence[str], str]:
        """Return the regular expressions worth searching, and the prompt to search."""

    def clock(self, real_ms: int) -> ClockReading: ...
    def next_due_ms(self) -> int | None:
        """Return when the next callback attempt falls due."""

    def real_wait_s(self, instant_ms: int | None, real_ms: int) -> float | None:
        """Return the real seconds until an instant; None when time alone does not reach it."""


class Store(Protocol):
    @property
    def metrics(self) -> ServerMetrics:
        """What all sandboxes have done, those included that are gone."""

    async def open(self, sandbox_id: str, *, is_broke: bool, real_ms: int) -> SandboxReader:
        """Return the sandbox of this id, made if need be; a broke one begins without credit."""

    async def read(self, sandbox_id: str) -> SandboxReader | None:
        """Return the sandbox of this id, if there is one."""

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        """Apply a command and return its result.

        Raises SandboxMissing when there is no such sandbox, NoRoom when a snapshot does not fit
        into the server's bound on tasks.
        """

    def follow(self, sandbox_id: str, follower: Follower) -> None:
        """Tell a follower every event of a sandbox from now on."""

    def unfollow(self, sandbox_id: str, follower: Follower) -> None: ...
    async def sandbox_of_task(self, task_id: str) -> SandboxReader | None:
        """Return the sandbox that holds a task: its own one, or one that was restored with it.

        Without the task, it is the sandbox that the id names, so that a journal can be kept.
        """

    async def sandboxes(self) -> Sequence[SandboxReader]: ...
    async def drop_all(self) -> None:
        """Remove every sandbox."""
