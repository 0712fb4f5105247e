"""Stores in memory that behave like durable stores: they write later, wait, or fail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import chain

from mock_server.domain.command_codec import encode_commands
from mock_server.domain.commands import Command, R
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.store.memory_store import MemoryStore

Then = Callable[[StoreUnavailable | None], None]


class DurableStore(MemoryStore):
    """Writes what it has applied at the end of the event loop's turn, as one with a file does.

    With `problem`, no operation is possible. With `write_problem`, commands are applied, but cannot
    be written. With `problem_after`, a number of operations succeeds before the problem.
    `before_write` delays the writing.
    """

    is_durable = True
    write_problem: str | None = None
    problem_after: tuple[int, str] | None = None
    before_write: Callable[[], Awaitable[object]] | None = None

    def __init__(self, template: SandboxTemplate, *, max_tasks: int = 2_000_000) -> None:
        super().__init__(template, max_tasks=max_tasks)
        self._unwritten: list[Then] = []

    def after_persist(self, then: Then) -> None:
        if not self._unwritten:
            loop = asyncio.get_running_loop()
            if self.before_write is None:
                loop.call_soon(self._write)
            else:
                self._writing = loop.create_task(self._write_later(self.before_write))
        self._unwritten.append(then)

    async def open(
        self, sandbox_id: str, *, is_broke: bool, real_ms: int, is_checked: bool = False
    ) -> Sandbox:
        await self._ready()
        return await super().open(sandbox_id, is_broke=is_broke, real_ms=real_ms)

    async def read(self, sandbox_id: str) -> Sandbox | None:
        await self._ready()
        return await super().read(sandbox_id)

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        await self._ready()
        return await super().execute(sandbox_id, command)

    async def holders(self, task_id: str) -> AsyncIterator[Sandbox]:
        await self._ready()
        async for sandbox in super().holders(task_id):
            yield sandbox

    async def sandboxes(self) -> Sequence[Sandbox]:
        await self._ready()
        return await super().sandboxes()

    async def remove(self, sandbox_id: str) -> None:
        await self._ready()
        await super().remove(sandbox_id)

    async def drop_all(self) -> None:
        await self._ready()
        await super().drop_all()

    async def _ready(self) -> None:
        """Return when the store can apply a command."""
        if self.problem_after is not None:
            left, problem = self.problem_after
            self.problem_after = left - 1, problem
            self.problem = problem if left <= 0 else None
        if self.problem is not None:
            raise StoreUnavailable(self.problem)

    async def _write_later(self, before: Callable[[], Awaitable[object]]) -> None:
        await before()
        self._write()

    def _write(self) -> None:
        unwritten, self._unwritten = self._unwritten, []
        for then in unwritten:
            then(None if self.write_problem is None else StoreUnavailable(self.write_problem))


class WritingStore(DurableStore):
    """Keeps what a log contains: the encoded commands, and checkpoints of all sandboxes."""

    def __init__(self, template: SandboxTemplate, *, max_tasks: int = 2_000_000) -> None:
        super().__init__(template, max_tasks=max_tasks)
        self._log: list[bytes] = []

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        self._log.append(encode_commands([command]))
        return await super().execute(sandbox_id, command)

    def written(self) -> bytes:
        """Return everything so far. The log begins anew."""
        log, self._log = self._log, []
        checkpoints = chain.from_iterable(each.checkpoint() for each in self._sandboxes.values())
        return b"".join([*log, *checkpoints])


class WaitingStore(DurableStore):
    """Waits in each operation, as a store on another machine does."""

    is_immediate = False

    def after_persist(self, then: Then) -> None:
        if self.write_problem is None and self.before_write is None:
            then(None)  # An operation returns after its command is written.
        else:
            super().after_persist(then)

    async def _ready(self) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await super()._ready()
