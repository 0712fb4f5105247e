"""Two processes change different members at the same time: both changes hold."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from mock_server.domain.commands import ChangeSettings, Command, R, SetClock
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from mock_server.wiring import MockServer
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import running


class SharedStore(MemoryStore):
    """A store in which another process is faster with a command, once."""

    rival: Command[Any] | None = None

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        if self.rival is not None and type(command) is type(self.rival):
            rival, self.rival = self.rival, None
            await super().execute(sandbox_id, rival)
        return await super().execute(sandbox_id, command)


@pytest.fixture
def store() -> list[SharedStore]:
    return []


@pytest.fixture
def api(store: list[SharedStore]) -> Iterator[Api]:
    def make(settings: Settings) -> MockServer:
        def make_store(template: SandboxTemplate) -> SharedStore:
            store.append(SharedStore(template))
            return store[0]

        return MockServer(settings, make_store=make_store)

    with running(Settings(clock="manual", seed=7), make=make) as mock:
        yield mock.api("sk-shared")


def test_settings_that_another_process_changes_meanwhile_keep_its_change(
    api: Api, store: list[SharedStore]
) -> None:
    api.counters()
    [sandbox] = store[0]._sandboxes.values()
    settings = msgspec.structs.replace(sandbox.settings, rate_limit=5)
    store[0].rival = ChangeSettings(real_ms=0, settings=settings)

    changed = api.change(max_concurrent=3)["settings"]

    assert (changed["rate_limit"], changed["max_concurrent"]) == (5, 3)


def test_clock_that_another_process_changes_meanwhile_keeps_its_change(
    api: Api, store: list[SharedStore]
) -> None:
    api.counters()
    store[0].rival = SetClock(real_ms=0, mode="real", speed=2.0)

    changed = api.told("PUT", "clock", {"speed": 3})

    assert (changed["mode"], changed["speed"]) == ("real", 3)
