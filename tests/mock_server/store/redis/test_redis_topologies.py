"""A store works with a cluster and with Sentinel as with one Redis."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from mock_server.domain.commands import ExpectCallback
from mock_server.domain.errors import StoreUnavailable
from mock_server.store.redis.client import Command, Reply
from mock_server.store.redis.keys import DUE
from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.bench import HELD, HOOK, Bench
from tests.mock_server.store.redis.stores import opened
from tests.patience import PATIENCE_S
from tests.redis_server import redis_binary

_SLOTS = 16_384


def free_port() -> int:
    """Return a port whose cluster bus, 10,000 above it, is a valid port, too."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
        if port < 55_000:
            return port


class Node:
    """A redis-server on a port of the loopback address."""

    def __init__(self, folder: Path, *options: str, config: str = "") -> None:
        self.port = free_port()
        self.folder = folder / str(self.port)
        self.folder.mkdir()
        file = self.folder / "redis.conf"
        file.write_text(config)
        self.process = subprocess.Popen(
            [
                *(redis_binary(), str(file), "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(self.folder), "--logfile", str(self.folder / "log")),
                *("--save", "", *options),
            ]
        )

    async def send(self, *command: str | int) -> object:
        async with Redis(host="127.0.0.1", port=self.port) as client:
            client.response_callbacks.clear()  # The answer stays the text that it is.
            answer: object = await client.execute_command(  # type: ignore[no-untyped-call]
                *command
            )
            return answer

    async def until(self, text: str, *command: str) -> None:
        """Wait until the answer to a command contains a text."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    if text in str(await self.send(*command)):
                        return
                except OSError:
                    pass
                except Exception as error:  # noqa: BLE001  # Those of redis-py, while it starts.
                    assert "onnect" in str(error) or "LOADING" in str(error), error  # noqa: PT017
                await asyncio.sleep(0.02)

    def close(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


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
    tmp_path: Path, processes: ExitStack, runner: asyncio.Runner
) -> None:
    nodes = runner.run(cluster(tmp_path, processes))
    address = f"redis+cluster://127.0.0.1:{nodes[0].port},127.0.0.1:{nodes[1].port}"
    stores = [runner.run(opened(address)) for _ in range(2)]
    for store in stores:
        processes.callback(runner.run, store.aclose())

    assert [store.problem for store in stores] == [None, None]
    use(stores, runner)


def test_callback_in_a_cluster_has_its_due_instant_before_it_is_in_the_log(
    tmp_path: Path, processes: ExitStack, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The set of due instants and the log of a sandbox may be on different nodes."""
    nodes = runner.run(cluster(tmp_path, processes))
    store = runner.run(opened(f"redis+cluster://127.0.0.1:{nodes[0].port}"))
    processes.callback(runner.run, store.aclose())
    runner.run(store._background.aclose())
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


def test_master_behind_sentinel_is_found_again_after_a_failover(
    tmp_path: Path, processes: ExitStack, runner: asyncio.Runner
) -> None:
    master = Node(tmp_path)
    processes.callback(master.close)
    replica = Node(tmp_path, "--replicaof", f"127.0.0.1 {master.port}")
    processes.callback(replica.close)
    config = (
        f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds main 500\n"
        "sentinel failover-timeout main 5000\n"
    )
    runner.run(master.until("state=online", "INFO", "replication"))
    sentinel = Node(tmp_path, "--sentinel", config=config)
    processes.callback(sentinel.close)
    runner.run(sentinel.until("slaves=1", "INFO", "sentinel"))
    address = f"redis+sentinel://127.0.0.1:{sentinel.port}/main"
    store = runner.run(opened(address))
    processes.callback(runner.run, store.aclose())
    bench = Bench(store, runner)
    key = bench.key()
    task = key.task(HELD)
    runner.run(master.until("1", "WAIT", "1", "10000"))

    master.close()
    runner.run(replica.until("role:master", "INFO", "replication"))

    async def recovered() -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await store.open(key.id, is_broke=False, real_ms=bench.real_ms)
                except StoreUnavailable:
                    await asyncio.sleep(0.05)
                else:
                    return

    runner.run(recovered())
    assert key.states().keys() == {task.id}
    key.finish(task.id)


def test_unknown_master_is_named(
    tmp_path: Path, processes: ExitStack, runner: asyncio.Runner
) -> None:
    sentinel = Node(tmp_path, "--sentinel")
    processes.callback(sentinel.close)
    runner.run(sentinel.until("sentinel_masters:0", "INFO", "sentinel"))

    store = runner.run(opened(f"redis+sentinel://127.0.0.1:{sentinel.port}/main"))
    processes.callback(runner.run, store.aclose())

    assert store.problem is not None
    assert "main" in store.problem
    assert "No master found" in store.problem
    assert "<" not in store.problem


def test_cluster_of_which_no_node_answers_is_a_problem(
    processes: ExitStack, runner: asyncio.Runner
) -> None:
    store = runner.run(opened(f"redis+cluster://127.0.0.1:{free_port()}"))
    processes.callback(runner.run, store.aclose())

    assert store.problem is not None
    assert "cannot be reached" in store.problem


def test_server_that_is_no_cluster_is_a_problem(
    tmp_path: Path, processes: ExitStack, runner: asyncio.Runner
) -> None:
    node = Node(tmp_path)
    processes.callback(node.close)
    runner.run(node.until("PONG", "PING"))

    store = runner.run(opened(f"redis+cluster://127.0.0.1:{node.port}"))
    processes.callback(runner.run, store.aclose())

    assert store.problem is not None
    assert "cluster" in store.problem.lower()
