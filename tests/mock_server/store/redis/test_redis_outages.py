"""Redis is away or full: commands fail as a whole, and work again without a restart."""

import asyncio

import pytest

from tests.mock_server.store.bench import HELD, Bench
from tests.mock_server.store.redis.outages import fail, wait_until_available
from tests.mock_server.store.redis.stores import NewStore
from tests.redis_server import RedisServer


def test_commands_fail_while_redis_is_away_and_work_again_afterwards(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    bench = Bench(new_store(), runner)
    key = bench.key()
    server.stop()

    assert "cannot be reached" in fail(key)
    assert bench.store.problem is not None
    assert "cannot be reached" in bench.store.problem
    assert "has data" not in bench.store.problem
    server.start()
    wait_until_available(bench)
    key.open()
    key.task()


def test_refused_connection_is_one_short_line(
    open_store: NewStore, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store("redis://127.0.0.1:1")

    assert store.problem == "Redis at 127.0.0.1:1 cannot be reached: connection refused"
    assert caplog.messages == [store.problem]


def test_server_that_starts_before_redis_is_available_later(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    bench = Bench(new_store(), runner)

    assert bench.store.problem is not None
    server.start()
    wait_until_available(bench)
    bench.key().task()


@pytest.mark.parametrize("password", ["not-this-one", ""])
def test_wrong_password_is_named_and_never_shown(
    server: RedisServer, open_store: NewStore, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.start("--requirepass", "right-one")
    with_password = server.address.replace("unix://", f"unix://:{password}@")

    store = open_store(with_password)

    assert store.problem is not None
    assert "rejects the user or the password" in store.problem
    assert caplog.messages == [store.problem]
    assert not password or password not in store.problem


def test_full_redis_rejects_commands_as_a_whole(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start("--maxmemory-policy", "noeviction")
    bench = Bench(new_store(), runner)
    key = bench.key()
    key.task(HELD)
    runner.run(server.configure("maxmemory", "1"))

    assert "out of memory" in fail(key)
    runner.run(server.configure("maxmemory", "0"))
    wait_until_available(bench)

    assert len(key.states()) == key.counters().live_tasks == 1
    assert key.counters().requests == 1
