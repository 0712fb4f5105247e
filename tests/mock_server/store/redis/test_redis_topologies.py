"""A store finds the master behind Sentinels, and says what is wrong with an address."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mock_server.domain.errors import StoreUnavailable
from tests.mock_server.store.bench import HELD, Bench
from tests.mock_server.store.redis.nodes import Node, free_port
from tests.mock_server.store.redis.stores import opened
from tests.patience import PATIENCE_S


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def replicated(master: Node, replica: Node) -> None:
    """Wait until a replica has everything that its master has."""
    sent = re.search(r"master_repl_offset:(\d+)", str(await master.send("INFO", "replication")))
    assert sent is not None
    async with asyncio.timeout(PATIENCE_S):
        while True:
            got = re.search(
                r"slave_repl_offset:(\d+)", str(await replica.send("INFO", "replication"))
            )
            if got is not None and int(got[1]) >= int(sent[1]):
                return
            await asyncio.sleep(0.01)


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
    runner.run(replicated(master, replica))

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
