"""Each process publishes its counters, and the metrics are the sums of all of them."""

import asyncio

import msgspec

from mock_server.domain.events import Notice
from mock_server.store.redis.keys import METRICS, SandboxKeys
from tests.mock_server.store.bench import Bench
from tests.mock_server.store.redis.stores import NewStore
from tests.redis_server import RedisServer


def test_metrics_contain_the_outages_of_all_processes(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    stores = [new_store(), new_store()]
    for store in stores:
        store.metrics.count_unavailable(None)
        runner.run(store._shared_metrics.publish())

    assert runner.run(stores[0].total_metrics()).unavailable == 2


def test_counters_of_an_earlier_version_are_added(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    store = new_store()
    earlier = [[], 7, {}, {}, {}, 3]
    runner.run(server.send("HSET", METRICS, "earlier", msgspec.msgpack.encode(earlier)))

    total = runner.run(store.total_metrics())

    assert (total.submitted, total.unauthorized, total.unavailable) == (7, 3, 0)


def test_counters_are_published_although_a_followed_sandbox_is_damaged(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    store = new_store()
    key = Bench(store, runner).key()
    key.task()
    store.follow(key.id, ignore)
    runner.run(server.send("SET", SandboxKeys(key.id).log, "junk"))

    runner.run(store._housekeeping.exchange())

    assert runner.run(new_store().total_metrics()).submitted == 1


def ignore(_: Notice) -> None:
    """Follow a sandbox without any interest in it."""
