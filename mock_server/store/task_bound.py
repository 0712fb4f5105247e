"""The bound on all tasks together: ended ones are dropped first, oldest first."""

import sys
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, Self

from mock_server.domain.errors import StoreFull
from mock_server.domain.task import Task


class Holder(Protocol):
    """A sandbox, as far as its tasks are concerned."""

    def holds(self, task: Task) -> bool: ...
    def drop_task(self, task: Task) -> None: ...
    def notice_ends(self, real_ms: int) -> None:
        """Count what has ended by now, and tell the bound of it."""


class TaskBound:
    def __init__(self, max_tasks: int, holders: Mapping[str, Holder]) -> None:
        self._max_tasks = max_tasks
        self._holders = holders  # by sandbox id
        self._count = 0
        self._ended: deque[tuple[Holder, Task]] = deque()  # in the order of being noticed
        self._stale = 0  # at most so many of them were dropped with their sandbox

    @classmethod
    def none(cls) -> Self:
        """Return a bound that bounds nothing."""
        return cls(sys.maxsize, {})

    def reserve(self, real_ms: int) -> None:
        """Make room for one more task. Raises StoreFull when no task has ended."""
        if self._count >= self._max_tasks:
            self._drop_oldest_ended(real_ms)
        self._count += 1

    def note_ended(self, holder: Holder, tasks: Sequence[Task]) -> None:
        self._ended.extend((holder, task) for task in tasks)

    def replace(self, held: Collection[str], count: int, real_ms: int) -> None:
        """Make room for so many tasks in the place of those held; raise StoreFull, or do it all.

        Making room may drop some of those held.
        """
        reserved = 0
        try:
            while len(held) + reserved < count:
                self.reserve(real_ms)
                reserved += 1
        except StoreFull:
            self._count -= reserved
            raise
        self.forget(len(held) + reserved - count)

    def forget(self, count: int) -> None:
        """Let go of so many tasks, for a sandbox has dropped all it had."""
        self._count -= count
        self._stale += count
        if self._stale > len(self._ended) // 2:  # so that clearing up costs little in the long run
            self._ended = deque(
                (holder, task) for holder, task in self._ended if holder.holds(task)
            )
            self._stale = 0

    def _drop_oldest_ended(self, real_ms: int) -> None:
        found = self._oldest_ended()
        if found is None:
            for holder in self._holders.values():
                holder.notice_ends(real_ms)
            found = self._oldest_ended()
        if found is None:
            raise StoreFull(f"the server keeps {self._max_tasks} tasks and none has ended")
        holder, task = found
        holder.drop_task(task)
        self._count -= 1

    def _oldest_ended(self) -> tuple[Holder, Task] | None:
        while self._ended:
            holder, task = self._ended.popleft()
            if holder.holds(task):
                return holder, task
        return None
