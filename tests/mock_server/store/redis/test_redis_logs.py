"""Logs in Redis stay short, and every process sees the same sandbox although they are trimmed."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mock_server.domain.commands import Reset
from mock_server.domain.events import Change
from mock_server.store.redis import replica as redis_replica
from tests.mock_server.store.bench import HELD, Bench, Key
from tests.mock_server.store.redis.stores import NewStore
from tests.redis_server import RedisServer

BODY = b"x" * 60_000
NewBench = Callable[[], Bench]


@pytest.fixture
def new_bench_of_process(
    redis_server: RedisServer, runner: asyncio.Runner, open_store: NewStore
) -> NewBench:
    runner.run(redis_server.flush(0))
    return lambda: Bench(open_store(redis_server.address), runner)


def record_much(key: Key) -> None:
    """Record more than a log keeps."""
    store: Any = key._bench.store
    for _ in range(60):
        key.record(BODY)
    key._bench.run(store._checkpoints.aclose())


def length(bench: Bench, key: Key, name: str) -> int:
    store: Any = bench.store
    [entries] = bench.run(store._send(("XRANGE", f"apixo-mock:{{{key.id}}}:{name}", "-", "+")))
    return len(entries)


def state(key: Key) -> bytes:
    sandbox: Any = key.sandbox
    return b"".join(sandbox.checkpoint())


def test_log_is_trimmed_behind_checkpoints(new_bench_of_process: NewBench) -> None:
    bench = new_bench_of_process()
    key = bench.key()
    for _ in range(4):
        record_much(key)

    assert length(bench, key, "checkpoints") == 2
    assert length(bench, key, "log") < 4 * 60


def test_new_process_continues_from_a_checkpoint(new_bench_of_process: NewBench) -> None:
    key = new_bench_of_process().key()
    task = key.task(HELD)
    record_much(key)
    key.record(b"behind the checkpoint")

    there = new_bench_of_process().key()

    assert state(there) == state(key)
    there.finish(task.id)
    assert state(there) == state(key)


def test_process_that_was_idle_while_the_log_was_trimmed_sees_everything(
    new_bench_of_process: NewBench,
) -> None:
    idle = new_bench_of_process().key()
    reader = idle.sandbox
    busy = new_bench_of_process().key()
    for _ in range(4):
        record_much(busy)
    task = busy.task(HELD)

    assert state(idle) == state(busy)
    assert reader.task(task.id, 0) is not None, "whoever holds the reader sees it, too"


def test_followers_hear_of_entries_that_were_trimmed_meanwhile(
    new_bench_of_process: NewBench,
) -> None:
    idle = new_bench_of_process().key()
    heard: list[Any] = []
    idle._bench.store.follow(idle.id, heard.append, is_passive=True)
    busy = new_bench_of_process().key()
    for _ in range(4):
        record_much(busy)
    idle.open()

    numbers = [each.number for each in heard if hasattr(each, "number")]
    kept = [number for number, _ in busy.sandbox.entries()]
    assert numbers == kept


def test_followers_hear_of_a_reset_that_was_trimmed_meanwhile(
    new_bench_of_process: NewBench,
) -> None:
    idle = new_bench_of_process().key()
    idle.record(b"before the reset")
    heard: list[Any] = []
    idle._bench.store.follow(idle.id, heard.append, is_passive=True)
    busy = new_bench_of_process().key()
    busy.execute(Reset)
    for _ in range(4):
        record_much(busy)
    idle.open()

    numbers = [each.number for each in heard if hasattr(each, "number")]
    assert heard[0] is Change.DROPPED
    assert numbers == [number for number, _ in busy.sandbox.entries()]


def test_own_commands_have_results_although_the_log_was_trimmed(
    new_bench_of_process: NewBench,
) -> None:
    idle = new_bench_of_process().key()
    busy = new_bench_of_process().key()
    for _ in range(4):
        record_much(busy)

    task = idle.task(HELD)

    assert busy.states().keys() == {task.id}
    assert state(idle) == state(busy)


def test_all_processes_agree_when_a_checkpoint_is_due(
    new_bench_of_process: NewBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise several would write one, or none."""
    monkeypatch.setattr(redis_replica, "_LEAST_LOG_BYTES", 4_000)
    keys = [new_bench_of_process().key() for _ in range(3)]
    for turn in range(120):
        keys[turn % 3].record(b"x" * (turn % 7))
    for key in keys:
        key.open()
    stores: list[Any] = [key._bench.store for key in keys]

    counted = {store._replicas.get(keys[0].id)._bytes_since_checkpoint for store in stores}
    assert len(counted) == 1
    assert state(keys[0]) == state(keys[1]) == state(keys[2])


def test_keys_of_a_sandbox_expire_unless_it_is_used(
    new_bench_of_process: NewBench, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    key = new_bench_of_process().key()
    record_much(key)

    keys = runner.run(redis_server.send("KEYS", f"apixo-mock:{{{key.id}}}:*"))
    assert len(keys) == 3
    for each in keys:
        assert runner.run(redis_server.send("PTTL", each)) > 6 * 86_400_000
