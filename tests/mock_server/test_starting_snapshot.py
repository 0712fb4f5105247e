"""The snapshot of --restore is restored once, as soon as the store can be used."""

import asyncio
from typing import cast

import pytest

from mock_server.domain.commands import CountRequest, Restore, TakeSnapshot
from mock_server.domain.dispatching import CallbackDispatcher
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.snapshot import Snapshot
from mock_server.starting_snapshot import StartingSnapshot
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.fake_stores import DurableStore
from tests.mock_server.store.bench import CATALOGUE

pytestmark = pytest.mark.anyio
ID = "0123456789abcdef"
TEMPLATE = SandboxTemplate(
    seed=7,
    settings=SandboxSettings(),
    clock=ClockSettings(),
    models=CATALOGUE.models,
    fail_messages=CATALOGUE.fail_messages,
)


class Dispatcher:
    """Restores a snapshot, as the dispatcher does."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def restore(self, sandbox_id: str, snapshot: Snapshot) -> None:
        await self._store.execute(sandbox_id, Restore(real_ms=0, snapshot=snapshot))


async def used(store: MemoryStore, requests: int) -> Snapshot:
    """Return the snapshot of a sandbox after so many requests."""
    await store.open(ID, is_broke=False, real_ms=0)
    for _ in range(requests):
        await store.execute(ID, CountRequest(real_ms=0))
    return (await store.execute(ID, TakeSnapshot(real_ms=0))).snapshot()


async def requests_in(store: MemoryStore) -> int:
    return (await store.execute(ID, TakeSnapshot(real_ms=0))).outline.requests


def starting(snapshot: Snapshot | None, store: MemoryStore) -> StartingSnapshot:
    dispatcher = cast("CallbackDispatcher", Dispatcher(store))
    return StartingSnapshot(snapshot, store, dispatcher, real_ms=lambda: 0, pause_s=0)


async def test_snapshot_is_restored_when_the_store_can_be_used_again() -> None:
    store = DurableStore(TEMPLATE)
    store.problem = "the disk is gone"
    start = starting(await used(MemoryStore(TEMPLATE), 3), store)

    await start.restore()
    problem = start.problem
    store.problem = None
    while start.problem is not None:  # noqa: ASYNC110  # It tells nobody.
        await asyncio.sleep(0)

    assert problem == "the snapshot of --restore is not restored yet; the disk is gone"
    assert await requests_in(store) == 3


async def test_snapshot_does_not_replace_the_sandbox_of_a_durable_store() -> None:
    snapshot = await used(MemoryStore(TEMPLATE), 3)
    durable, memory = DurableStore(TEMPLATE), MemoryStore(TEMPLATE)
    for store in (durable, memory):
        await used(store, 1)
        await starting(snapshot, store).restore()

    assert (await requests_in(durable), await requests_in(memory)) == (1, 3)


async def test_server_that_stops_gives_up_a_snapshot_that_waits() -> None:
    store = DurableStore(TEMPLATE)
    store.problem = "the disk is gone"
    start = starting(await used(MemoryStore(TEMPLATE), 3), store)

    await start.restore()
    await start.aclose()
    store.problem = None
    await asyncio.sleep(0)

    assert await store.read(ID) is None


async def test_server_without_a_snapshot_is_ready_at_once() -> None:
    store = DurableStore(TEMPLATE)
    store.problem = "the disk is gone"
    start = starting(None, store)

    await start.restore()

    assert start.problem is None
