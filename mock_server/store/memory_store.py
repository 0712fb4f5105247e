"""A store in the memory of this process. No operation awaits anything, so each is atomic."""

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from os import urandom
from typing import Any

import msgspec

from mock_server.domain.commands import (
    AnswerStatus,
    Command,
    DropTask,
    NoticeEnds,
    R,
    RecordExchange,
    Reset,
    Restore,
    Submit,
    TrimJournal,
)
from mock_server.domain.errors import NoRoom, SandboxMissing, StoreUnavailable
from mock_server.domain.events import Change, Follower, Notice, Recorded, TasksEnded
from mock_server.domain.results import Rejection, TaskView
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.server_metrics import ServerMetrics
from mock_server.domain.task import sandbox_id_in
from mock_server.store.journal_bound import MAX_JOURNAL_BYTES, trimmed_sizes
from mock_server.store.origins import Origins
from mock_server.store.task_bound import EndedTask, TaskBound

MAX_SANDBOXES = 10_000
_SECRET_BYTES = 32
_EVICTED_AT_ONCE = 100


class MemoryStore:
    """Keeps at most `max_tasks` tasks, `max_sandboxes` sandboxes and `max_journal_bytes`.

    Above the task limit, the tasks that ended first are dropped. Above the sandbox limit,
    sandboxes without live tasks are removed first, those unused for longest before others. Above
    the limit of all journals, the oldest entries of the largest journals are dropped.
    """

    is_immediate = True
    is_durable = False
    problem: str | None = None
    owner = ""

    def __init__(
        self,
        template: SandboxTemplate,
        *,
        max_tasks: int = 2_000_000,
        max_sandboxes: int = MAX_SANDBOXES,
        max_journal_bytes: int = MAX_JOURNAL_BYTES,
        apply: Callable[[Sandbox, Any], Any] = Sandbox.apply,
    ) -> None:
        self.metrics = ServerMetrics()
        self.secret = urandom(_SECRET_BYTES)  # Sessions of the dashboard end with the process.
        self._apply = apply  # Every command goes through it, also those that the store adds.
        self._template = template
        self._max_sandboxes = max_sandboxes
        self._max_journal_bytes = max_journal_bytes
        self._journal_bytes = 0  # Of all sandboxes.
        self._sandboxes: dict[str, Sandbox] = {}
        self._epochs: dict[str, int] = {}  # By sandbox id; no number is used twice.
        self._epoch_numbers = count()
        self._bound = TaskBound(max_tasks, self._is_held)
        self._origins = Origins()
        self._followers: dict[str, list[Follower]] = {}
        # The commands that concern more than one sandbox, or more than its state.
        self._appliers: dict[type[Command[Any]], Callable[[Sandbox, Any], Any]] = {
            Submit: self._submit,
            RecordExchange: self._record,
            AnswerStatus: self._record,
            Restore: self._replace_tasks,
            Reset: self._replace_tasks,
        }

    @property
    def seed(self) -> int:
        return self._template.seed

    def when_due(self, wake: Callable[[str], None]) -> None:
        """Do nothing: no other process delivers callbacks."""

    async def start(self) -> None:
        """Do nothing: memory needs no preparation."""

    async def aclose(self) -> None:
        """Do nothing: the sandboxes end with the process."""

    async def total_metrics(self) -> ServerMetrics:
        return self.metrics

    def after_persist(self, then: Callable[[StoreUnavailable | None], None]) -> None:
        then(None)

    async def open(
        self, sandbox_id: str, *, is_broke: bool, real_ms: int, is_checked: bool = False
    ) -> Sandbox:
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None:
            if len(self._sandboxes) >= self._max_sandboxes:
                self._evict()
            sandbox = Sandbox(sandbox_id, self._template, is_broke=is_broke, real_ms=real_ms)
            self._add_new(sandbox)
        return sandbox

    def holds(self, sandbox_id: str) -> bool:
        return sandbox_id in self._sandboxes

    async def read(self, sandbox_id: str) -> Sandbox | None:
        return self._sandboxes.get(sandbox_id)

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is None:
            raise SandboxMissing(f"there is no sandbox {sandbox_id}")
        apply = self._appliers.get(type(command), self._apply)
        result: R = apply(sandbox, command)
        if sandbox.events:
            self._tell_events(sandbox)
        return result

    def follow(
        self,
        sandbox_id: str,
        follower: Follower,
        *,
        is_passive: bool = False,
    ) -> None:
        self._followers.setdefault(sandbox_id, []).append(follower)

    def unfollow(self, sandbox_id: str, follower: Follower) -> None:
        followers = self._followers.get(sandbox_id, [])
        followers.remove(follower)
        if not followers:
            del self._followers[sandbox_id]

    async def holders(self, task_id: str) -> AsyncIterator[Sandbox]:
        origin = sandbox_id_in(task_id)
        for sandbox_id in (origin, *self._origins.restored_from(origin)):
            sandbox = self._sandboxes.get(sandbox_id)
            if sandbox is not None and sandbox.has_task(task_id):
                yield sandbox

    async def sandboxes(self) -> Sequence[Sandbox]:
        return list(self._sandboxes.values())

    async def remove(self, sandbox_id: str) -> None:
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox is not None:
            self._remove([sandbox])

    async def drop_all(self) -> None:
        self._remove(list(self._sandboxes.values()))

    def _record(self, sandbox: Sandbox, command: RecordExchange | AnswerStatus) -> int:
        journal = sandbox.journal
        bytes_before = journal.bytes
        number: int = self._apply(sandbox, command)
        self._journal_bytes += journal.bytes - bytes_before
        self.metrics.count(command.entry)
        if sandbox.id in self._followers:
            self._tell(sandbox.id, Recorded(number, sandbox.newest_entry))
        if self._journal_bytes > self._max_journal_bytes:
            self._trim_journals(command.real_ms)
        return number

    def _trim_journals(self, real_ms: int) -> None:
        sizes = {each.id: each.journal.bytes for each in self._sandboxes.values()}
        for sandbox_id, max_bytes in trimmed_sizes(sizes, self._max_journal_bytes).items():
            sandbox = self._sandboxes[sandbox_id]
            trim = TrimJournal(real_ms=real_ms, max_bytes=max_bytes)
            self.metrics.trimmed_entries += self._apply(sandbox, trim)
            self._journal_bytes += sandbox.journal.bytes - sizes[sandbox_id]

    def _submit(self, sandbox: Sandbox, command: Submit) -> TaskView | Rejection:
        """Apply a submit. Look for room before it; drop ended tasks above the limit after it."""
        bound = self._bound
        if bound.count >= bound.max_tasks:
            command = msgspec.structs.replace(command, has_room=self._has_room(command.real_ms))
        count_before = sandbox.task_count
        result: TaskView | Rejection = self._apply(sandbox, command)
        if type(result) is TaskView:
            self.metrics.submitted += 1
            # The difference may be 0: a task of a forged snapshot may have had this id.
            bound.count += sandbox.task_count - count_before
            if bound.count > bound.max_tasks:
                self._tell_events(sandbox)  # Tasks that have ended may be dropped.
                self._drop_excess(command.real_ms)
        return result

    def _replace_tasks(self, sandbox: Sandbox, command: Restore | Reset) -> None:
        """Apply a command that replaces all tasks of a sandbox."""
        if isinstance(command, Restore):
            self._check_room(sandbox, command)
        count_before, bytes_before = sandbox.task_count, sandbox.journal.bytes
        self._apply(sandbox, command)
        self._journal_bytes += sandbox.journal.bytes - bytes_before
        self._tell_events(sandbox)
        self._begin_epoch(sandbox.id)
        self._origins.note(sandbox.id, sandbox.origin)
        self._bound.remove(count_before)
        self._bound.count += sandbox.task_count
        if isinstance(command, Restore):
            ended = [task for task in command.snapshot.tasks if task.is_settled]
            self._bound.note_ended(sandbox.id, self._epochs[sandbox.id], ended)
        self._drop_excess(command.real_ms)
        if self._journal_bytes > self._max_journal_bytes:
            self._trim_journals(command.real_ms)

    def _tell_events(self, sandbox: Sandbox) -> None:
        """Count what a command has caused, and tell it to the followers of its sandbox."""
        for event in sandbox.events:
            if isinstance(event, TasksEnded):
                self._bound.note_ended(sandbox.id, self._epochs[sandbox.id], event.tasks)
                self.metrics.count_ended(event.tasks)
            self._tell(sandbox.id, event)
        sandbox.events.clear()

    def _tell(self, sandbox_id: str, notice: Notice) -> None:
        for follower in tuple(self._followers.get(sandbox_id, ())):
            follower(notice)

    def _check_room(self, sandbox: Sandbox, command: Restore) -> None:
        more = len(command.snapshot.tasks) - sandbox.task_count
        if self._bound.lacks_room_for(more, sandbox.id):
            self._notice_ends(command.real_ms)
            if self._bound.lacks_room_for(more, sandbox.id):
                raise NoRoom("Task limit reached (--max-tasks): the snapshot has too many tasks.")

    def _has_room(self, real_ms: int) -> bool:
        """Tell whether one more task fits, if an ended one is dropped for it."""
        self._drop_excess(real_ms)  # There is some only after a restart with a lower limit.
        excess = self._bound.count - self._bound.max_tasks
        return excess < 0 or (excess == 0 and self._find_ended(real_ms) is not None)

    def _find_ended(self, real_ms: int) -> EndedTask | None:
        found = self._bound.oldest_ended()
        if found is None:
            self._notice_ends(real_ms)
            found = self._bound.oldest_ended()
        return found

    def _notice_ends(self, real_ms: int) -> None:
        for sandbox in self._sandboxes.values():
            self._apply(sandbox, NoticeEnds(real_ms=real_ms))
            self._tell_events(sandbox)

    def _drop_excess(self, real_ms: int) -> None:
        """Drop ended tasks above the limit."""
        while self._bound.count > self._bound.max_tasks:
            ended = self._find_ended(real_ms)
            if ended is None:
                return  # The limit was higher when the live tasks were submitted.
            holder = self._sandboxes[ended.sandbox_id]
            self._apply(holder, DropTask(real_ms=real_ms, task_id=ended.task_id))
            self._bound.remove_oldest_ended()

    def _is_held(self, ended: EndedTask) -> bool:
        if self._epochs.get(ended.sandbox_id) != ended.epoch:
            return False
        return self._sandboxes[ended.sandbox_id].has_task(ended.task_id)

    def _add_new(self, sandbox: Sandbox) -> None:
        self._sandboxes[sandbox.id] = sandbox
        self._begin_epoch(sandbox.id)

    def _adopt(self, sandboxes: Sequence[Sandbox]) -> None:
        """Add sandboxes with the tasks that they have."""
        ended = []
        for sandbox in sandboxes:
            self._sandboxes[sandbox.id] = sandbox
            self._begin_epoch(sandbox.id)
            self._origins.note(sandbox.id, sandbox.origin)
            self._bound.count += sandbox.task_count
            self._journal_bytes += sandbox.journal.bytes
            ended += [(task, sandbox.id) for task in sandbox.tasks(0)[0] if task.is_settled]
        for task, sandbox_id in sorted(ended):  # In order of time, across all sandboxes.
            self._bound.note_ended(sandbox_id, self._epochs[sandbox_id], [task])

    def _begin_epoch(self, sandbox_id: str) -> None:
        """Forget which tasks of a sandbox have ended, because its state is a new one."""
        self._epochs[sandbox_id] = next(self._epoch_numbers)

    def _evict(self) -> None:
        idle = sorted(
            self._sandboxes.values(), key=lambda each: (each.has_live_tasks, each.used_ms)
        )
        self._remove(idle[: min(_EVICTED_AT_ONCE, len(idle) // 10 + 1)])

    def _remove(self, sandboxes: Sequence[Sandbox]) -> None:
        for sandbox in sandboxes:
            del self._sandboxes[sandbox.id], self._epochs[sandbox.id]
            self._origins.forget(sandbox.id)
        self._bound.remove(sum(sandbox.task_count for sandbox in sandboxes))
        self._journal_bytes -= sum(sandbox.journal.bytes for sandbox in sandboxes)
        for sandbox in sandboxes:
            sandbox.apply(Reset(real_ms=sandbox.used_ms))  # A late reader finds an empty sandbox.
            sandbox.events.clear()
            self._tell(sandbox.id, Change.REMOVED)
