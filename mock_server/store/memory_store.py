"""Keeps everything in this process. No operation waits inside, so each is atomic."""

from collections.abc import Sequence

from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.tally import Tally
from mock_server.store.memory_sandbox import Beginning, MemorySandbox
from mock_server.store.task_bound import TaskBound

MAX_SANDBOXES = 10_000
_EVICTED_AT_ONCE = 100


class MemoryStore:
    """At most `max_tasks` tasks in all: ended ones go first, oldest first.

    At most `max_sandboxes` sandboxes: those without live tasks go first, and of these those idle
    for longest, with all they hold.
    """

    def __init__(
        self,
        *,
        seed: int,
        settings: SandboxSettings,
        clock: ClockSettings,
        rules: Sequence[RuleDefinition] = (),
        profile_rules: Sequence[RuleDefinition] = (),
        max_tasks: int = 2_000_000,
        max_sandboxes: int = MAX_SANDBOXES,
    ) -> None:
        self.tally = Tally()
        self._beginning = Beginning(
            seed=seed,
            settings=settings,
            clock=clock,
            tally=self.tally,
            rules=tuple(rules),
            profile_rules=tuple(profile_rules),
        )
        self._max_sandboxes = max_sandboxes
        self._sandboxes: dict[str, MemorySandbox] = {}
        self._bound = TaskBound(max_tasks, self._sandboxes)

    async def sandbox(self, sandbox_id: str, *, is_broke: bool, real_ms: int) -> MemorySandbox:
        found = self._sandboxes.get(sandbox_id)
        if found is None:
            if len(self._sandboxes) >= self._max_sandboxes:
                self._evict()
            found = self._sandboxes[sandbox_id] = MemorySandbox(
                sandbox_id, self._beginning, self._bound, is_broke=is_broke, real_ms=real_ms
            )
        return found

    async def find(self, sandbox_id: str) -> MemorySandbox | None:
        return self._sandboxes.get(sandbox_id)

    async def holder(self, task_id: str) -> MemorySandbox | None:
        origin = task_id[5:21]
        own = self._sandboxes.get(origin)
        if own is not None and own.has_task(task_id):
            return own
        for sandbox in reversed(self._sandboxes.values()):
            if sandbox.origin == origin and sandbox.has_task(task_id):
                return sandbox
        return own

    async def sandboxes(self) -> Sequence[MemorySandbox]:
        return list(self._sandboxes.values())

    async def drop_all(self) -> None:
        self._drop(list(self._sandboxes.values()))

    def _evict(self) -> None:
        idle = sorted(
            self._sandboxes.values(), key=lambda each: (each.has_live_tasks, each.used_ms)
        )
        self._drop(idle[: min(_EVICTED_AT_ONCE, len(idle) // 10 + 1)])

    def _drop(self, sandboxes: Sequence[MemorySandbox]) -> None:
        for sandbox in sandboxes:
            del self._sandboxes[sandbox.id]
        self._bound.forget(sum(sandbox.drop() for sandbox in sandboxes))
