"""Notify followers and update metrics after each command, in the order of the log."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from mock_server.domain.commands import (
    AnswerStatus,
    Command,
    RecordExchange,
    Reset,
    Submit,
    TrimJournal,
)
from mock_server.domain.events import Change, Follower, Notice, Recorded, TasksEnded
from mock_server.domain.results import TaskView
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.server_metrics import ServerMetrics


class Events:
    """The followers of this process, and the counters of the commands that it has sent."""

    def __init__(self) -> None:
        self.metrics = ServerMetrics()
        self._followers: dict[str, list[tuple[Follower, bool]]] = {}
        self._active: Counter[str] = Counter()  # The followers that are not passive.

    @property
    def followed(self) -> Iterable[str]:
        """The sandboxes with followers that wait for events of other processes."""
        return self._active

    def is_followed(self, sandbox_id: str) -> bool:
        return sandbox_id in self._followers

    def follow(self, sandbox_id: str, follower: Follower, *, is_passive: bool) -> None:
        self._followers.setdefault(sandbox_id, []).append((follower, is_passive))
        if not is_passive:
            self._active[sandbox_id] += 1

    def unfollow(self, sandbox_id: str, follower: Follower) -> None:
        followers = self._followers[sandbox_id]
        [(index, is_passive)] = [
            (index, each[1]) for index, each in enumerate(followers) if each[0] == follower
        ][:1]
        del followers[index]
        if not followers:
            del self._followers[sandbox_id]
        if not is_passive:
            self._active[sandbox_id] -= 1
            if not self._active[sandbox_id]:
                del self._active[sandbox_id]

    def applied(
        self, sandbox: Sandbox, command: Command[Any], result: Any, *, is_own: bool
    ) -> None:
        """Count a command that was applied, and notify followers; `result` is its result."""
        if type(command) is RecordExchange or type(command) is AnswerStatus:
            if is_own:
                self.metrics.count(command.entry)
            if sandbox.id in self._followers:
                self._tell(sandbox.id, Recorded(result, sandbox.newest_entry))
        elif is_own and type(command) is TrimJournal:
            self.metrics.trimmed_entries += result
        elif is_own and type(command) is Submit and type(result) is TaskView:
            self.metrics.submitted += 1
        if sandbox.events:
            for event in sandbox.events:
                if is_own and isinstance(event, TasksEnded):
                    self.metrics.count_ended(event.tasks)
                self._tell(sandbox.id, event)
            sandbox.events.clear()

    def reloaded(self, sandbox: Sandbox, number: int, *, is_dropped: bool) -> None:
        """Tell the followers of a sandbox that was loaded again what they have missed.

        `number` is that of the last journal entry that they know. With `is_dropped`, they know
        later ones that are not there any more: the state was reset or replaced meanwhile.
        """
        if sandbox.id in self._followers:
            if is_dropped:
                self._tell(sandbox.id, Change.DROPPED)
            for each, entry in sandbox.entries(number):
                self._tell(sandbox.id, Recorded(each, entry))
            self._tell(sandbox.id, Change.CLOCK)
            self._tell(sandbox.id, Change.SETTINGS)

    def removed(self, sandbox: Sandbox) -> None:
        sandbox.apply(Reset(real_ms=sandbox.used_ms))  # Readers that still have it see it empty.
        sandbox.events.clear()
        self._tell(sandbox.id, Change.REMOVED)

    def _tell(self, sandbox_id: str, notice: Notice) -> None:
        for follower, _ in tuple(self._followers.get(sandbox_id, ())):
            follower(notice)
