"""Open the store that the settings choose.

The modules of a store are imported only if it is chosen.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from mock_server.domain.errors import InvalidValue
from mock_server.domain.ports import RealClock
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.store import Store
from mock_server.domain.store_address import MEMORY, SQLITE, is_shared
from mock_server.store.memory_store import MemoryStore
from mock_server.store.real_time import catch_up

_MIN_TTL_MS = 60_000

MakeTemplate = Callable[[int], SandboxTemplate]
"""Return the template of new sandboxes, given their seed."""


class StoreChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a store.

    `seed` is for new sandboxes. If it is not chosen, a store that already has a seed keeps its own.
    """

    address: str
    seed: int
    is_seed_chosen: bool
    max_tasks: int
    max_journal_bytes: int
    sync: Literal["normal", "full"]
    ttl_ms: int

    @property
    def chosen_seed(self) -> int | None:
        return self.seed if self.is_seed_chosen else None


def open_store(choice: StoreChoice, make_template: MakeTemplate, clock: RealClock) -> Store:
    """Return the store at an address that the settings accept. Raises InvalidValue."""
    if is_shared(choice.address):
        return _redis_store(choice, make_template, clock)
    if choice.address.startswith(SQLITE):
        return _sqlite_store(choice, make_template, clock)
    return MemoryStore(
        make_template(choice.seed),
        max_tasks=choice.max_tasks,
        max_journal_bytes=choice.max_journal_bytes,
    )


def _sqlite_store(choice: StoreChoice, make_template: MakeTemplate, clock: RealClock) -> Store:
    from mock_server.store.sqlite.opening import open_sqlite_store  # noqa: PLC0415

    path = choice.address.removeprefix(SQLITE)
    # Other programs write these. As paths, they would be files where nobody expects them.
    if path == ":memory:":
        raise InvalidValue("--store", f"use {MEMORY} to keep no file (got {choice.address})")
    if path.startswith("//"):
        raise InvalidValue(
            "--store",
            f"write {SQLITE}mock.db or {SQLITE}/folder/mock.db, without // (got {choice.address})",
        )
    store = open_sqlite_store(
        path,
        make_template,
        seed=choice.seed,
        is_seed_chosen=choice.is_seed_chosen,
        sync=choice.sync,
        max_tasks=choice.max_tasks,
        max_journal_bytes=choice.max_journal_bytes,
    )
    catch_up(clock, store.latest_real_ms)
    return store


def _redis_store(choice: StoreChoice, make_template: MakeTemplate, clock: RealClock) -> Store:
    if choice.ttl_ms < _MIN_TTL_MS:
        raise InvalidValue("--store-ttl", f"must be at least 1m (got {choice.ttl_ms / 1000:g} s)")
    try:
        from mock_server.store.redis.store import RedisStore  # noqa: PLC0415  # An optional package.
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in {"redis", "hiredis"}:
            raise
        raise InvalidValue(
            "--store",
            "redis-py is not installed; run: python -m pip install 'apixo-testkit[redis]'",
        ) from error
    return RedisStore(
        make_template,
        choice.address,
        clock=clock,
        seed=choice.chosen_seed,
        max_tasks=choice.max_tasks,
        max_journal_bytes=choice.max_journal_bytes,
        ttl_ms=choice.ttl_ms,
    )
