"""Keeps everything in this process. No operation waits inside, so each is atomic."""

from collections import deque
from collections.abc import Sequence

from mock_server.domain.catalogue import Catalogue
from mock_server.domain.errors import StoreFull
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.task import Task
from mock_server.store.memory_sandbox import MemorySandbox

MAX_SANDBOXES = 10_000
_EVICTED_AT_ONCE = 100


class MemoryStore:
    """At most `max_tasks` tasks in all: ended ones go first, oldest first.

    At most `max_sandboxes` sandboxes: those idle for longest go, with all they hold.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        seed: int,
        settings: SandboxSettings,
        clock: ClockSettings,
        max_tasks: int = 2_000_000,
        max_sandboxes: int = MAX_SANDBOXES,
    ) -> None:
        self.catalogue = catalogue
        self.seed = seed
        self.default_settings = settings
        self.default_clock = clock
        self._max_tasks = max_tasks
        self._max_sandboxes = max_sandboxes
        self._sandboxes: dict[str, MemorySandbox] = {}
        self._task_count = 0
        self._ended: deque[Task] = deque()  # in the order in which the ends were noticed
        self._stale = 0  # at most so many of them were dropped with their sandbox

    async def sandbox(self, sandbox_id: str, *, is_broke: bool, real_ms: int) -> MemorySandbox:
        found = self._sandboxes.get(sandbox_id)
        if found is None:
            if len(self._sandboxes) >= self._max_sandboxes:
                self._evict()
            found = MemorySandbox(self, sandbox_id, is_broke=is_broke, real_ms=real_ms)
            self._sandboxes[sandbox_id] = found
        return found

    async def find(self, sandbox_id: str) -> MemorySandbox | None:
        return self._sandboxes.get(sandbox_id)

    async def sandboxes(self) -> Sequence[MemorySandbox]:
        return list(self._sandboxes.values())

    async def drop_all(self) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.drop()
        self._sandboxes.clear()
        self._ended.clear()
        self._stale = 0
        self._task_count = 0

    def reserve_task(self, real_ms: int) -> None:
        """Make room for one more task. Raises StoreFull when no task has ended."""
        if self._task_count >= self._max_tasks:
            self._drop_oldest_ended(real_ms)
        self._task_count += 1

    def note_ended(self, tasks: Sequence[Task]) -> None:
        self._ended.extend(tasks)

    def forget_tasks(self, count: int) -> None:
        """Forget so many tasks, for a sandbox has dropped all it had."""
        self._task_count -= count
        self._stale += count
        if self._stale > len(self._ended) // 2:  # so that clearing up costs little in the long run
            self._ended = deque(task for task in self._ended if self._holds(task))
            self._stale = 0

    def _drop_oldest_ended(self, real_ms: int) -> None:
        task = self._oldest_ended()
        if task is None:
            for sandbox in self._sandboxes.values():
                sandbox.notice_ends(real_ms)
            task = self._oldest_ended()
        if task is None:
            raise StoreFull(f"the server keeps {self._max_tasks} tasks and none has ended")
        self._sandboxes[task.sandbox_id].drop_task(task)
        self._task_count -= 1

    def _oldest_ended(self) -> Task | None:
        while self._ended:
            task = self._ended.popleft()
            if self._holds(task):
                return task
        return None

    def _holds(self, task: Task) -> bool:
        sandbox = self._sandboxes.get(task.sandbox_id)
        return sandbox is not None and sandbox.holds(task)

    def _evict(self) -> None:
        idle = sorted(self._sandboxes.values(), key=lambda sandbox: sandbox.used_ms)
        for sandbox in idle[: min(_EVICTED_AT_ONCE, len(idle) // 10 + 1)]:
            del self._sandboxes[sandbox.id]
            self.forget_tasks(sandbox.drop())
