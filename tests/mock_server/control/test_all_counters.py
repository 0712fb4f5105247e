"""The counters of many sandboxes are read in portions, and without commands where possible."""

import asyncio
from typing import Any

from mock_server.control.all_counters import all_counters
from mock_server.domain.commands import ReadCounters
from mock_server.domain.errors import SandboxDamaged, SandboxMissing
from mock_server.domain.sandbox.sandbox import Sandbox
from tests.mock_server.fake_stores import WaitingStore
from tests.mock_server.store.redis.stores import TEMPLATE

IDS = [f"{number:016x}" for number in range(120)]


class ReadSandbox:
    """A sandbox whose tasks may have ended, or not."""

    def __init__(self, sandbox: Sandbox, *, is_known: bool) -> None:
        self._sandbox = sandbox
        self._is_known = is_known

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    def counters(self, real_ms: int) -> Any:
        return self._sandbox.counters(real_ms) if self._is_known else None


class CountingStore(WaitingStore):
    """Notes the sandboxes of all commands. Some sandboxes are gone when a command arrives."""

    def __init__(self) -> None:
        super().__init__(TEMPLATE)
        self.executed: list[str] = []
        self.in_progress = self.most_in_progress = 0

    async def execute(self, sandbox_id: str, command: Any) -> Any:
        assert type(command) is ReadCounters
        self.executed.append(sandbox_id)
        self.in_progress += 1
        self.most_in_progress = max(self.most_in_progress, self.in_progress)
        try:
            if sandbox_id == IDS[1]:
                raise SandboxMissing("it is gone")
            if sandbox_id == IDS[2]:
                raise SandboxDamaged(sandbox_id, "it is damaged")
            return await super().execute(sandbox_id, command)
        finally:
            self.in_progress -= 1


async def found_in(store: CountingStore, *, is_known: bool) -> list[str]:
    opened = [await store.open(each, is_broke=False, real_ms=0) for each in IDS]
    sandboxes = [ReadSandbox(each, is_known=is_known) for each in opened]
    return [sandbox.id async for sandbox, _ in all_counters(store, sandboxes, 0)]


def test_no_command_is_executed_where_readers_know_the_counters() -> None:
    store = CountingStore()

    assert asyncio.run(found_in(store, is_known=True)) == IDS
    assert store.executed == []


def test_sandboxes_that_are_gone_or_damaged_meanwhile_are_left_out() -> None:
    store = CountingStore()

    found = asyncio.run(found_in(store, is_known=False))

    assert found == [each for each in IDS if each not in IDS[1:3]]
    assert store.executed == IDS


def test_commands_of_many_sandboxes_are_executed_in_portions() -> None:
    store = CountingStore()

    asyncio.run(found_in(store, is_known=False))

    assert 1 < store.most_in_progress < len(IDS)
