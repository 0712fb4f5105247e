"""Stores that a test opens and that are closed after it, and a Redis of its own for a test."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.redis.processes import Clock, NewProcess, Process
from tests.mock_server.store.redis.stores import NewStore, opened
from tests.redis_server import RedisServer, redis_binary


@pytest.fixture
def open_store(runner: asyncio.Runner) -> Iterator[NewStore]:
    """Open a store at an address."""
    stores = []

    def open_store(address: str, **options: Any) -> RedisStore:
        stores.append(runner.run(opened(address, **options)))
        return stores[-1]

    yield open_store
    for store in stores:
        runner.run(store.aclose())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a server of its own for a test, which is not started yet."""
    server = RedisServer(redis_binary(), tmp_path)
    yield server
    server.stop()


@pytest.fixture
def new_store(server: RedisServer, open_store: NewStore) -> NewStore:
    """Open a store in the test's own server."""
    return partial(open_store, server.address)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_process(
    redis_server: RedisServer, runner: asyncio.Runner, open_store: NewStore, clock: Clock
) -> NewProcess:
    """Start a process in the shared server, which is empty when the test begins."""
    runner.run(redis_server.flush(0))

    def new(**options: Any) -> Process:
        store = open_store(redis_server.address, **{"clock": clock, **options})
        runner.run(store._housekeeping.aclose())
        return Process(store, redis_server, runner)

    return new
