"""Many sandboxes, or large ones, are loaded while other requests are served."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.store.redis import loader
from mock_server.store.redis.replica import Replica
from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.bench import HELD, Bench
from tests.mock_server.store.redis.stores import NewStore
from tests.redis_server import RedisServer

Result = TypeVar("Result")

_COUNT = 40


class Turns:
    """Counts the turns of the event loop, and notes in which of them some function works."""

    def __init__(self) -> None:
        self.worked: list[int] = []
        self._turn = 0

    def noting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any) -> Any:
            self.worked.append(self._turn)
            return function(*args)

        return note

    async def count_until(self, done: asyncio.Task[Result]) -> Result:
        while not done.done():
            self._turn += 1
            await asyncio.sleep(0)
        return await done


def test_loading_all_sandboxes_works_on_one_of_them_in_each_turn_of_the_event_loop(
    server: RedisServer,
    new_store: NewStore,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.start()
    bench = Bench(new_store(), runner)
    for number in range(_COUNT):
        bench.key(f"key {number}").task(HELD)
    turns = Turns()
    monkeypatch.setattr(Sandbox, "of_checkpoint", turns.noting(Sandbox.of_checkpoint))

    async def load(store: RedisStore) -> int:
        return len(await turns.count_until(asyncio.create_task(store.sandboxes())))

    assert runner.run(load(new_store())) == _COUNT
    assert len(turns.worked) == len(set(turns.worked)) == _COUNT


def test_loading_a_long_log_pauses_for_other_work(
    server: RedisServer,
    new_store: NewStore,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.start()
    key = Bench(new_store(), runner).key()
    for _ in range(_COUNT):
        key.task(HELD)
    turns = Turns()
    monkeypatch.setattr(loader, "_SLICE_S", 0.0)
    monkeypatch.setattr(Replica, "take", turns.noting(Replica.take))

    async def load(store: RedisStore) -> None:
        assert await turns.count_until(asyncio.create_task(store.read(key.id))) is not None

    runner.run(load(new_store()))
    assert len(turns.worked) == len(set(turns.worked)) >= _COUNT


def test_sandbox_that_began_anew_is_loaded_once_however_late_a_request_learns_it(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    """With two replicas, followers would be told everything twice."""
    server.start()
    store, other = new_store(), Bench(new_store(), runner)
    key = Bench(store, runner).key()
    key.open()
    other.run(other.store.remove(key.id))
    other.key().open()

    async def read_twice() -> tuple[Sandbox | None, Sandbox | None]:
        pump, sync, is_read = store._pump, store._pump.sync, asyncio.Event()

        async def sync_late(replica: Replica) -> None:
            try:
                await sync(replica)
            finally:
                await is_read.wait()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pump, "sync", sync_late)
            late = asyncio.create_task(store.read(key.id))
            await asyncio.sleep(0)
        first = await store.read(key.id)
        is_read.set()
        return first, await late

    first, late = runner.run(read_twice())
    assert first is late is not None
