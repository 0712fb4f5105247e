"""All journals of a store together stay within their limit; the largest ones lose entries first."""

import asyncio
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import RecordExchange
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.store import Store
from mock_server.store.journal_bound import trimmed_sizes
from mock_server.store.memory_store import MemoryStore
from mock_server.store.redis.journals import Journals
from mock_server.store.sqlite.opening import open_sqlite_store
from mock_server.store.sqlite.store import SqliteStore
from tests.mock_server.domain.driven import DEFAULTS
from tests.mock_server.store.bench import START_MS
from tests.mock_server.store.redis.stores import opened
from tests.redis_server import RedisServer

LIMIT = 200_000


async def record(store: Store, sandbox_id: str, count: int, size: int = 1000) -> None:
    await store.open(sandbox_id, is_broke=False, real_ms=START_MS)
    for number in range(count):
        entry = Entry(START_MS, START_MS, Operation.BALANCE, "", 200, number, bytes(size), b"")
        await store.execute(sandbox_id, RecordExchange(real_ms=START_MS + number, entry=entry))


async def sizes(store: MemoryStore) -> dict[str, int]:
    return {each.id: each.journal.bytes for each in await store.sandboxes()}


async def numbers(store: Store) -> dict[str, list[int]]:
    found = {each.id: [number for number, _ in each.entries()] for each in await store.sandboxes()}
    return dict(sorted(found.items()))


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 1000), max_size=20),
    st.integers(0, 5000),
)
def test_trimmed_journals_are_within_the_limit_and_were_the_largest(
    found: dict[str, int], limit: int
) -> None:
    trimmed = trimmed_sizes(found, limit)

    left = found | trimmed
    assert sum(left.values()) <= limit
    assert not trimmed or sum(found.values()) > limit
    for sandbox_id, size in trimmed.items():
        assert size < found[sandbox_id]
        spared = [each for other, each in found.items() if other not in trimmed]
        assert found[sandbox_id] >= max(spared, default=0)


def test_journals_of_all_sandboxes_are_within_the_limit_and_small_ones_stay() -> None:
    async def scenario() -> None:
        store = MemoryStore(DEFAULTS, max_journal_bytes=LIMIT)
        await record(store, "small", 5)
        for turn in range(10):
            await record(store, f"large-{turn % 3}", 100)
            assert sum((await sizes(store)).values()) <= LIMIT
        kept = await numbers(store)
        assert kept["small"] == [1, 2, 3, 4, 5]
        dropped = {each.id: each.dropped_entries for each in await store.sandboxes()}
        assert all(len(kept[each]) + dropped[each] in {5, 300, 400} for each in kept)
        assert store.metrics.trimmed_entries == sum(dropped.values()) > 500
        await store.drop_all()
        await record(store, "large-0", 100)
        assert len((await numbers(store))["large-0"]) == 100

    asyncio.run(scenario())


def test_journals_are_the_same_after_a_restart_and_within_a_lower_limit(tmp_path: Path) -> None:
    def open_store(limit: int) -> SqliteStore:
        return open_sqlite_store(
            str(tmp_path / "mock.db"),
            lambda _: DEFAULTS,
            seed=DEFAULTS.seed,
            is_seed_chosen=True,
            max_journal_bytes=limit,
        )

    async def first() -> dict[str, list[int]]:
        store = open_store(LIMIT)
        await store.start()
        await record(store, "one", 150)
        await record(store, "other", 150)
        kept = await numbers(store)
        assert store._flush()
        store._file.close()  # This is like a killed process: the next start applies the log.
        return kept

    async def again(limit: int) -> tuple[dict[str, list[int]], int]:
        store = open_store(limit)
        await store.start()
        found = await numbers(store), sum((await sizes(store)).values())
        await store.aclose()
        return found

    kept = asyncio.run(first())
    after_kill, size = asyncio.run(again(LIMIT))
    _, lower_size = asyncio.run(again(LIMIT // 2))

    assert after_kill == kept
    assert LIMIT // 2 < size <= LIMIT
    assert 0 < lower_size <= LIMIT // 2


def test_processes_with_one_redis_drop_the_same_entries(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        await redis_server.flush(9)
        address = f"{redis_server.address}?db=9"
        stores = [await opened(address, max_journal_bytes=LIMIT) for _ in range(2)]
        try:
            await record(stores[0], "one", 150)
            await record(stores[1], "other", 150)
            await numbers(stores[0])
            for store in stores:
                await Journals(store._replicas, store._pump, store._clock, LIMIT).trim()
            first, second = [await numbers(store) for store in stores]
            total = sum(each.sandbox.journal.bytes for each in stores[0]._replicas.all())
            assert first == second
            assert 0 < total <= LIMIT
            assert (await stores[0].total_metrics()).trimmed_entries > 100
        finally:
            for store in stores:
                await store.aclose()

    asyncio.run(scenario())
