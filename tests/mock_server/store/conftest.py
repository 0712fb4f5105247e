"""One suite for every store: another store is another parameter of `new_bench`."""

import asyncio
from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.store import Store
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.store.bench import CATALOGUE, Bench, NewBench
from tests.mock_server.store.redis.stores import RedisStores
from tests.mock_server.store.sqlite.stores import SqliteStores
from tests.patience import PATIENCE_S
from tests.properties import is_deep


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        yield runner


@pytest.fixture(autouse=True)
def redis_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Redis take longer on a machine that has much to do."""
    monkeypatch.setattr("mock_server.store.redis.client.TIMEOUT_S", PATIENCE_S)


class Stores(Protocol):
    """Makes a store for a bench."""

    def __call__(
        self, template: SandboxTemplate, *, max_tasks: int, max_sandboxes: int
    ) -> Store: ...


# A round trip to Redis for each step of eight times as many examples would take too long.
STORES = ("memory", "sqlite") if is_deep() else ("memory", "sqlite", "redis", "redis-3")


@pytest.fixture(scope="session", params=STORES)
def new_bench(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[NewBench]:
    if request.param == "memory":
        stores: Stores = MemoryStore
    elif request.param == "sqlite":
        stores = SqliteStores()
    else:
        server = request.getfixturevalue("redis_server")
        stores = RedisStores(runner, server, 3 if request.param == "redis-3" else 1)

    def new(
        *,
        seed: int = 7,
        max_tasks: int = 1_000_000,
        max_sandboxes: int = 1_000,
        clock: ClockSettings | None = None,
        **settings: Any,
    ) -> Bench:
        store = stores(
            SandboxTemplate(
                seed=seed,
                settings=SandboxSettings(**settings),
                clock=clock or ClockSettings(),
                models=CATALOGUE.models,
                fail_messages=CATALOGUE.fail_messages,
            ),
            max_tasks=max_tasks,
            max_sandboxes=max_sandboxes,
        )
        return Bench(store, runner)

    yield new
    if isinstance(stores, RedisStores | SqliteStores):
        stores.close()
