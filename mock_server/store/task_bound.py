"""The bound on all tasks together: ended ones are dropped first, oldest first."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec

from mock_server.domain.task import Task


class EndedTask(msgspec.Struct, frozen=True, gc=False):
    sandbox_id: str
    task_id: str


class TaskBound:
    """Counts tasks and knows which one goes next.

    `is_held(ended)` tells whether a sandbox still holds an ended task: after a reset the same id
    may belong to a live one.
    """

    def __init__(self, max_tasks: int, is_held: Callable[[EndedTask], bool]) -> None:
        self._max_tasks = max_tasks
        self._is_held = is_held
        self._count = 0
        self._ended: deque[EndedTask] = deque()  # In the order in which their ends were noticed.
        self._stale = 0  # At most so many of them are no longer held.

    @property
    def is_reached(self) -> bool:
        return self._count >= self._max_tasks

    @property
    def excess(self) -> int:
        """How many tasks must be dropped."""
        return max(0, self._count - self._max_tasks)

    def add(self, count: int) -> None:
        self._count += count

    def note_ended(self, sandbox_id: str, tasks: Sequence[Task]) -> None:
        self._ended.extend(EndedTask(sandbox_id, task.id) for task in tasks)

    def oldest_ended(self) -> EndedTask | None:
        """Return the task that goes next; it stays the oldest until it is dropped."""
        while self._ended and not self._is_held(self._ended[0]):
            self._ended.popleft()
        return self._ended[0] if self._ended else None

    def ended_elsewhere(self, sandbox_id: str) -> Iterator[EndedTask]:
        """Yield the ended tasks of all sandboxes but this one."""
        for ended in self._ended:
            if ended.sandbox_id != sandbox_id and self._is_held(ended):
                yield ended

    def lacks_room_for(self, count: int, sandbox_id: str) -> bool:
        """Tell whether a sandbox cannot have `count` tasks more, whatever others may lose."""
        needed = self._count + count - self._max_tasks
        return needed > 0 and needed > sum(1 for _ in self.ended_elsewhere(sandbox_id))

    def remove(self, count: int) -> None:
        """Forget so many tasks, because a sandbox has dropped them."""
        self._count -= count
        self._stale += count
        if self._stale > len(self._ended) // 2:  # So that tidying costs little in the long run.
            self._ended = deque(ended for ended in self._ended if self._is_held(ended))
            self._stale = 0
