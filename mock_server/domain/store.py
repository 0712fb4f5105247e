"""The interface of the store, which keeps all sandboxes (decision 17).

A store applies the commands of one sandbox one after the other. A `SandboxReader` shows the
current state of a sandbox and changes nothing.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from mock_server.domain.commands import Command, R
from mock_server.domain.deliveries import Delivery
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.events import Follower
from mock_server.domain.headers import Header
from mock_server.domain.journal import Entry
from mock_server.domain.results import ClockReading, Counters, TaskView
from mock_server.domain.rule_book import QueuedRule, RuleState
from mock_server.domain.rules import RuleInput
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.server_metrics import ServerMetrics
from mock_server.domain.task import Task


class SandboxReader(Protocol):
    """Read access to the sandbox of one API key (AUTH-4).

    Arguments named `real_ms` are real instants. Returned instants are of the sandbox's clock.
    """

    @property
    def id(self) -> str: ...
    @property
    def settings(self) -> SandboxSettings: ...
    @property
    def seed(self) -> int:
        """The random seed of the sandbox; draws depend on it and on `origin`."""

    @property
    def origin(self) -> str:
        """The id of the sandbox, or of the one whose snapshot was restored into it."""

    @property
    def used_ms(self) -> int:
        """The real instant of the last change by a client or by the control plane."""

    @property
    def has_requests(self) -> bool:
        """Whether the client has made any request."""

    @property
    def changes(self) -> int:
        """The number of changes of settings or rules so far, for `known_changes` of commands."""

    @property
    def has_rules(self) -> bool:
        """Whether `MatchRules` can match anything."""

    def max_unsettled(self, real_ms: int) -> int:
        """Return the maximum number of ended tasks that are not settled; 0 if there are none."""

    def counters(self, real_ms: int) -> Counters | None:
        """Return the counters, or None if tasks may have ended since the last command.

        Then the command `ReadCounters` returns them.
        """

    def task(self, task_id: str, real_ms: int) -> TaskView | None:
        """Return a task without counting a request, or None if it is unknown."""

    def tasks(self, real_ms: int) -> tuple[Sequence[Task], int]:
        """Return all tasks, newest first, and the current instant of the sandbox's clock."""

    def entries(self, since: int = 0) -> Sequence[tuple[int, Entry]]:
        """Return the journal entries after the number `since` with their numbers, oldest first."""

    @property
    def dropped_entries(self) -> int:
        """The number of journal entries that were dropped because of the journal's limits."""

    def deliveries(self) -> Sequence[Delivery]: ...
    def rules(self) -> tuple[Sequence[RuleState], Sequence[RuleState]]:
        """Return the sandbox's own rules and those of its profile."""

    def queue(self) -> Sequence[QueuedRule]:
        """Return the rules queued by `next`, which take precedence over all others."""

    def may_match(self, rule_input: RuleInput, real_ms: int) -> bool:
        """Return False only if `MatchRules` would return None and change nothing.

        True means that `MatchRules` has to decide.
        """

    def header_conditions(self) -> AbstractSet[Header]:
        """Return the names and values of all headers that a rule asks for."""

    def patterns_for(self, rule_input: RuleInput, real_ms: int) -> tuple[Sequence[str], str]:
        """Return the regular expressions to search for, and the prompt to search."""

    def clock(self, real_ms: int) -> ClockReading: ...
    @property
    def clock_holder(self) -> str | None:
        """The owner that holds the clock, or None."""

    def claim_owners(self) -> frozenset[str]:
        """Return the owners that make a callback attempt or hold the clock."""

    def claim_of(self, task_id: str) -> int:
        """Return the claim of the attempt in progress for a task, or 0."""

    def claims_of(self, owner: str) -> frozenset[int]:
        """Return the numbers of the claims whose attempts this owner makes."""

    def next_due_ms(self) -> int | None:
        """Return when the next callback attempt is due, or None."""

    def real_wait_s(self, instant_ms: int | None, real_ms: int) -> float | None:
        """Return the real seconds until an instant; None if the clock is held or manual."""


class Store(Protocol):
    """All operations with `async` raise StoreUnavailable if the store cannot be used now."""

    @property
    def is_immediate(self) -> bool:
        """Whether no operation of the store ever waits, without `start` and `aclose`."""

    @property
    def is_durable(self) -> bool:
        """Whether the store keeps its sandboxes after the end of the process."""

    @property
    def problem(self) -> str | None:
        """Why the store cannot be used now, or None."""

    @property
    def owner(self) -> str:
        """The owner of the callback attempts that this process claims.

        It is empty if no other process can use the store.
        """

    @property
    def seed(self) -> int:
        """The random seed of new sandboxes. Before `start`, it may not be final."""

    @property
    def secret(self) -> bytes:
        """A random key for signatures, which all processes that use the store share.

        Before `start`, it may not be final.
        """

    @property
    def metrics(self) -> ServerMetrics:
        """The counters of what this process does, including sandboxes that were removed."""

    async def total_metrics(self) -> ServerMetrics:
        """Return the counters of all processes of the store, including those that have ended."""

    def when_due(self, wake: Callable[[str], None]) -> None:
        """Call `wake` with the id of each sandbox whose callbacks no other process delivers.

        If several processes share the store, it does so after one of them has ended.
        """

    async def start(self) -> None:
        """Prepare the store. A store that cannot be reached now has a `problem` afterwards."""

    async def aclose(self) -> None:
        """Write what is not written yet, and release all resources."""

    def after_persist(self, then: Callable[[StoreUnavailable | None], None]) -> None:
        """Call `then` once all commands so far survive the end of the process.

        It gets an error if they could not be written. A store that is not durable calls it at
        once.
        """

    async def open(
        self, sandbox_id: str, *, is_broke: bool, real_ms: int, is_checked: bool = False
    ) -> SandboxReader:
        """Return the sandbox with this id; create it if it does not exist.

        With `is_broke`, a new sandbox starts with a balance of 0. With `is_checked`, the caller's
        first command has `known_changes`, so the state of a sandbox without rules may be out of
        date: changes by other processes may be missing.
        """

    def holds(self, sandbox_id: str) -> bool:
        """Return whether the sandbox with this id is in the memory of this process."""

    async def read(self, sandbox_id: str) -> SandboxReader | None:
        """Return the sandbox with this id, or None."""

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        """Apply a command and return its result.

        Raises SandboxMissing if there is no such sandbox, NoRoom if a snapshot has more tasks
        than the server's task limit allows.
        """

    def follow(self, sandbox_id: str, follower: Follower, *, is_passive: bool = False) -> None:
        """Call a follower with every event of a sandbox from now on.

        Events that other processes cause are fetched soon. For a passive follower they are not:
        it gets them when this process uses the sandbox.
        """

    def unfollow(self, sandbox_id: str, follower: Follower) -> None: ...
    def holders(self, task_id: str) -> AsyncIterator[SandboxReader]:
        """Yield the sandboxes that contain a task.

        The first one is the sandbox that the id names, if it contains the task. A snapshot of it
        may have been restored into the others.
        """

    async def sandboxes(self) -> Sequence[SandboxReader]: ...
    async def remove(self, sandbox_id: str) -> None:
        """Remove the sandbox with this id, if there is one."""

    async def drop_all(self) -> None:
        """Remove every sandbox."""
