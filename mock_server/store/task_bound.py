"""The limit of all tasks of a server: above it, the tasks that ended first are dropped."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import msgspec

from mock_server.domain.task import Task
from mock_server.domain.task_snapshot import TaskSnapshot


class EndedTask(msgspec.Struct, frozen=True, gc=False):
    """A task that has ended and may be dropped."""

    sandbox_id: str
    epoch: int
    task_id: str


class TaskBound:
    """Counts tasks and chooses the one to drop next.

    `is_held(ended)` tells whether a sandbox still has the ended task. An epoch of a sandbox ends
    when its state is replaced; afterwards, other tasks may have the same ids.
    """

    def __init__(self, max_tasks: int, is_held: Callable[[EndedTask], bool]) -> None:
        self.max_tasks = max_tasks
        self.count = 0
        self._is_held = is_held
        self._ended: deque[EndedTask] = deque()  # In the order in which they were settled.
        self._stale = 0  # The number of ended tasks in the list that may not exist any more.

    def note_ended(self, sandbox_id: str, epoch: int, tasks: Iterable[Task | TaskSnapshot]) -> None:
        self._ended.extend(EndedTask(sandbox_id, epoch, task.id) for task in tasks)

    def oldest_ended(self) -> EndedTask | None:
        """Return the task to drop next, or None; it stays the next one until it is dropped."""
        while self._ended and not self._is_held(self._ended[0]):
            self._ended.popleft()
        return self._ended[0] if self._ended else None

    def ended_elsewhere(self, sandbox_id: str) -> Iterator[EndedTask]:
        """Yield the ended tasks of all other sandboxes."""
        for ended in self._ended:
            if ended.sandbox_id != sandbox_id and self._is_held(ended):
                yield ended

    def lacks_room_for(self, count: int, sandbox_id: str) -> bool:
        """Tell whether `count` more tasks do not fit, even without the others' ended tasks."""
        needed = self.count + count - self.max_tasks
        return needed > 0 and needed > sum(1 for _ in self.ended_elsewhere(sandbox_id))

    def remove_oldest_ended(self) -> None:
        """Subtract the task that `oldest_ended` returned, which has been dropped."""
        self._ended.popleft()
        self.count -= 1

    def remove(self, count: int) -> None:
        """Subtract tasks that a sandbox has dropped."""
        self.count -= count
        self._stale += count
        if self._stale > len(self._ended) // 2:  # Amortised, the clean-up takes constant time.
            self._ended = deque(ended for ended in self._ended if self._is_held(ended))
            self._stale = 0
