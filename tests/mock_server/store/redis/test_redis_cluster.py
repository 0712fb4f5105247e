"""A store works with a cluster as with one Redis."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from mock_server.domain.commands import ExpectCallback
from mock_server.domain.errors import StoreUnavailable
from mock_server.store.redis.client import Command, Reply
from mock_server.store.redis.keys import DUE, PLACES, process_key
from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.bench import HELD, HOOK, Bench
from tests.mock_server.store.redis.nodes import Node
from tests.mock_server.store.redis.processes import LEASE_MS, Clock
from tests.mock_server.store.redis.stores import NewStore
from tests.redis_server import USER_PASSWORD, documented_user

_SLOTS = 16_384


async def cluster(folder: Path, processes: ExitStack) -> list[Node]:
    """Return the masters of a cluster without replicas."""
    nodes = [
        Node(folder, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
        for _ in range(3)
    ]
    for node in nodes:
        processes.callback(node.close)
    ends = [0, _SLOTS // 3, 2 * _SLOTS // 3, _SLOTS]
    for number, node in enumerate(nodes):
        await node.until("PONG", "PING")
        await node.send("CLUSTER", "ADDSLOTSRANGE", ends[number], ends[number + 1] - 1)
        await node.send("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for node in nodes[1:]:
        await nodes[0].send("CLUSTER", "MEET", "127.0.0.1", node.port)
    for node in nodes:
        await node.until("cluster_state:ok", "CLUSTER INFO")
        await node.until("cluster_known_nodes:3", "CLUSTER INFO")
    return nodes


@pytest.fixture(scope="module")
def cluster_address(
    tmp_path_factory: pytest.TempPathFactory, runner: asyncio.Runner
) -> Iterator[str]:
    with ExitStack() as processes:
        nodes = runner.run(cluster(tmp_path_factory.mktemp("cluster"), processes))
        for node in nodes:  # The permissions of the guide must suffice.
            runner.run(node.send(*documented_user(is_in_cluster=True)))
        hosts = f"127.0.0.1:{nodes[0].port},127.0.0.1:{nodes[1].port}"
        yield f"redis+cluster://mock:{USER_PASSWORD}@{hosts}"


def use(stores: list[RedisStore], runner: asyncio.Runner) -> None:
    """Use sandboxes in turn from all stores."""
    benches = [Bench(store, runner) for store in stores]
    for number in range(8):  # Their keys are in several slots.
        keys = [bench.key(f"key {number}") for bench in benches]
        task = keys[0].task(HELD)
        keys[-1].finish(task.id)
        assert {key.counters().failed + key.counters().succeeded for key in keys} == {1}
        keys[0].callback_task(HELD)
    assert benches[0].sandbox_ids() == benches[-1].sandbox_ids()
    benches[0].run(benches[0].store.drop_all())
    assert benches[-1].sandbox_ids() == set()


def test_cluster_carries_one_mock(
    cluster_address: str, open_store: NewStore, runner: asyncio.Runner
) -> None:
    stores = [open_store(cluster_address) for _ in range(2)]

    assert [store.problem for store in stores] == [None, None]
    use(stores, runner)


def test_callback_in_a_cluster_has_its_due_instant_before_it_is_in_the_log(
    cluster_address: str,
    open_store: NewStore,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The set of due instants and the log of a sandbox may be on different nodes."""
    store = open_store(cluster_address)
    runner.run(store._housekeeping.aclose())
    key = Bench(store, runner).key()
    task = key.task(HELD, callback_url=HOOK)
    client: Any = store._connection._client
    replies = client._replies

    async def replies_until_it_is_due(commands: Sequence[Command]) -> list[Reply]:
        found: list[Reply] = await replies(commands)
        if any(DUE in command for command in commands):
            raise RedisConnectionError("the process ends here")
        return found

    monkeypatch.setattr(client, "_replies", replies_until_it_is_due)
    with pytest.raises(StoreUnavailable):
        key.execute(ExpectCallback, task_id=task.id)
    monkeypatch.undo()
    runner.run(store._connection._probe())
    [score] = runner.run(store._send(("ZSCORE", DUE, key.id)))
    key.open()
    replica = store._replicas.get(key.id)

    assert score is not None
    assert replica is not None
    assert not replica.sandbox.has_deliveries
    key.execute(ExpectCallback, task_id=task.id)
    assert replica.sandbox.has_deliveries


def test_what_a_process_in_a_cluster_had_not_written_is_written_after_its_end(
    cluster_address: str, open_store: NewStore, runner: asyncio.Runner, clock: Clock
) -> None:
    store, other = (open_store(cluster_address, clock=clock, max_tasks=5_000) for _ in range(2))
    for each in (store, other):
        runner.run(each._housekeeping.aclose())
    runner.run(store.drop_all())
    Bench(store, runner).key().task(HELD)  # The process has reserved four more places.
    runner.run(store._connection.send([("DEL", process_key(store.owner))]))
    clock.real_ms += LEASE_MS
    runner.run(other._housekeeping.tidy())

    reads = [("HGET", PLACES, field) for field in ("tasks", "reserved")]
    sums = runner.run(other._connection.send(reads))
    assert sums == [b"1", b"0"]
