"""Every key in Redis expires, and what processes share lives longer than any sandbox."""

import asyncio
from functools import partial
from itertools import count

import pytest

from mock_server.domain.commands import Restore, TakeSnapshot
from mock_server.domain.ports import DeliveryResult
from mock_server.store.redis import replica as redis_replica
from mock_server.store.redis.keys import (
    DUE,
    PREFIX,
    PROCESSES,
    SERVER,
    SHARED,
    SandboxKeys,
    origin_key,
)
from tests.mock_server.store.bench import HELD, Key, lasting
from tests.mock_server.store.redis.changes import change_much, ends_after, snapshot_of
from tests.mock_server.store.redis.processes import Clock, NewProcess, Process
from tests.properties import is_deep
from tests.redis_server import RedisServer

_TTL_MS = 60_000
_DAY_MS = 86_400_000
_NEVER_EXPIRES = -1


def times_to_live(runner: asyncio.Runner, server: RedisServer) -> dict[str, int]:
    """Return the time to live of each key in milliseconds; it is negative if there is none."""

    async def read() -> dict[str, int]:
        keys = await server.send("KEYS", "*")
        return {key.decode(): await server.send("PTTL", key) for key in keys}

    return runner.run(read())


def use(process: Process) -> Key:
    """Use a sandbox with callbacks and so much that a checkpoint is written."""
    key = process.bench.key("callbacks")
    key.callback_task(lasting(0))
    key.deliver(DeliveryResult(status=200))
    key.callback_task(lasting(60_000))
    for _ in range(9):
        key.record(b"x" * 1_000)
    process.bench.run(process.store._checkpoints.aclose())
    process.bench.run(process.store._housekeeping.exchange())
    process.bench.run(process.store._recount.run_in_turn())
    return key


def test_no_key_stays_for_ever_whenever_a_process_ends(
    new_process: NewProcess,
    redis_server: RedisServer,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redis_replica, "_LEAST_LOG_BYTES", 4_000)

    def work(process: Process) -> None:
        use(process)
        change_much(process, snapshot)

    snapshot = snapshot_of(new_process(ttl_ms=_TTL_MS, max_tasks=6), 2)
    for cut_after in count(0, 1 if is_deep() else 29):
        runner.run(redis_server.flush(0))
        process = new_process(ttl_ms=_TTL_MS, max_tasks=6)
        process.line.cuts_pipelines = False
        if not ends_after(process, cut_after, partial(work, process)):
            assert cut_after > 100, "the process was never ended in the middle"
            break
        runner.run(process.store.aclose())

        found = times_to_live(runner, redis_server)
        assert all(name.startswith(PREFIX) for name in found)
        forever = [
            name
            for name, ttl_ms in found.items()
            if ttl_ms == _NEVER_EXPIRES or ttl_ms > _TTL_MS + _DAY_MS
        ]
        assert forever == [], cut_after


def test_what_processes_share_lives_longer_than_a_sandbox_that_was_just_used(
    new_process: NewProcess, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process(ttl_ms=_TTL_MS)
    key = use(process)
    found = times_to_live(runner, redis_server)

    assert set(SHARED) <= found.keys()
    assert max(found[name] for name in SandboxKeys(key.id).all if name in found) <= _TTL_MS
    assert min(found[name] for name in SHARED) > _TTL_MS + _DAY_MS / 2


def test_process_renews_what_processes_share(
    new_process: NewProcess, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process, brief = new_process(ttl_ms=5 * _DAY_MS), new_process(ttl_ms=_TTL_MS)
    use(process)
    for name in SHARED:
        runner.run(redis_server.send("PEXPIRE", name, 5_000))
    runner.run(process.store._housekeeping.renew_shared())
    runner.run(brief.store._housekeeping.renew_shared())

    found = times_to_live(runner, redis_server)
    assert min(found[name] for name in SHARED) > 5 * _DAY_MS


def test_use_of_a_restored_sandbox_renews_the_way_from_its_origin(
    new_process: NewProcess, redis_server: RedisServer, runner: asyncio.Runner, clock: Clock
) -> None:
    process = new_process(ttl_ms=_TTL_MS)
    origin, restored = process.bench.key("origin"), process.bench.key("restored")
    origin.task(HELD)
    restored.execute(Restore, snapshot=origin.execute(TakeSnapshot).snapshot())
    name = origin_key(origin.id)
    runner.run(redis_server.send("PEXPIRE", name, 5_000))
    clock.real_ms += _TTL_MS
    restored.open()

    assert times_to_live(runner, redis_server)[name] > 5_000


def test_key_that_is_created_again_expires(
    new_process: NewProcess, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process(ttl_ms=_TTL_MS)
    store = process.store
    key = use(process)
    replica = store._replicas.get(key.id)
    assert replica is not None
    runner.run(redis_server.send("DEL", *SHARED))
    runner.run(store._servers.hello(store._connection.send_early))
    runner.run(store._processes.renew())
    replica.is_due_open = True
    key.open()

    found = times_to_live(runner, redis_server)
    assert {SERVER, PROCESSES, DUE} <= found.keys()
    assert _NEVER_EXPIRES not in found.values()
