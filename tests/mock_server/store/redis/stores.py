"""Stores in Redis for the suite of all stores: one, or three that are one mock."""

import asyncio
from collections.abc import Callable
from itertools import count, cycle
from typing import Any, cast

import msgspec

from mock_server.domain.events import Follower
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.store import Store
from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.bench import CATALOGUE, START_MS
from tests.redis_server import RedisServer

TEMPLATE = SandboxTemplate(
    seed=7,
    settings=SandboxSettings(),
    clock=ClockSettings(),
    models=CATALOGUE.models,
    fail_messages=CATALOGUE.fail_messages,
)
NewStore = Callable[..., RedisStore]
_DATABASES = 6  # Some tests use several benches at the same time.


class StillClock:
    """The real clock of a store in a bench, whose instants are those of its commands."""

    def now_ns(self) -> int:
        return START_MS * 1_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns()

    def shift(self, by_ms: int) -> None:
        """Stand still: the commands of a bench have their own instants."""


async def opened(
    address: str, template: SandboxTemplate = TEMPLATE, *, seed: int | None = 7, **options: Any
) -> RedisStore:
    """Return a store that has started."""
    store = RedisStore(
        lambda seed: msgspec.structs.replace(template, seed=seed),
        address,
        seed=seed,
        **{"clock": StillClock(), **options},
    )
    await store.start()
    return store


class InTurn:
    """Several stores that are one mock; each operation goes to the next one."""

    def __init__(self, stores: list[RedisStore]) -> None:
        self._stores = stores
        self._turn = cycle(stores)

    @property
    def owner(self) -> str:
        return self._stores[0].owner

    def follow(self, sandbox_id: str, follower: Follower, *, is_passive: bool = False) -> None:
        """Follow in one process, which hears of what the others do after a moment."""
        self._stores[0].follow(sandbox_id, follower)

    def unfollow(self, sandbox_id: str, follower: Follower) -> None:
        self._stores[0].unfollow(sandbox_id, follower)

    async def drop_all(self) -> None:
        """Remove every sandbox, and let each process notice it as if it followed them."""
        ids = [sandbox.id for sandbox in await self.sandboxes()]
        await next(self._turn).drop_all()
        for store in self._stores:
            for sandbox_id in ids:
                await store.read(sandbox_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._turn), name)


class RedisStores:
    """Makes stores, each in an empty database. The last ones are still open, others closed."""

    def __init__(self, runner: asyncio.Runner, server: RedisServer, processes: int) -> None:
        self._runner = runner
        self._server = server
        self._processes = processes
        self._numbers = count()
        self._open: dict[int, list[RedisStore]] = {}

    def __call__(self, template: SandboxTemplate, *, max_tasks: int, max_sandboxes: int) -> Store:
        database = next(self._numbers) % _DATABASES
        self._close(database)
        self._runner.run(self._server.flush(database))
        made = [
            self._runner.run(
                opened(
                    f"{self._server.address}?db={database}",
                    template,
                    seed=template.seed,
                    max_tasks=max_tasks,
                    max_sandboxes=max_sandboxes,
                )
            )
            for _ in range(self._processes)
        ]
        assert all(store.problem is None for store in made)
        self._open[database] = made
        return cast("Store", made[0] if len(made) == 1 else InTurn(made))

    def close(self) -> None:
        for database in list(self._open):
            self._close(database)

    def _close(self, database: int) -> None:
        for store in self._open.pop(database, []):
            self._runner.run(store.aclose())
