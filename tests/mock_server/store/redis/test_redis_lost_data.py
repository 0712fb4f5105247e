"""Redis has lost all its data, or a part of it: sandboxes begin anew where they must."""

import asyncio

from mock_server.domain.events import Notice, Recorded
from tests.mock_server.store.bench import HELD, Bench
from tests.mock_server.store.redis.outages import fail, wait_until_available
from tests.mock_server.store.redis.stores import NewStore
from tests.redis_server import RedisServer


def test_sandbox_begins_anew_and_its_journal_says_so_after_redis_has_lost_its_data(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    bench = Bench(new_store(), runner)
    key = bench.key()
    task = key.task()
    server.stop()
    fail(key)
    server.start()
    wait_until_available(bench)

    key.open()
    key.record()
    key.record()

    [(_, first), (_, second)] = key.sandbox.entries()
    assert first.error == "Redis had lost its data; the sandbox began anew with this request"
    assert second.error == ""
    assert key.task().id == task.id


def test_counters_of_processes_are_published_again_after_redis_has_lost_its_data(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    store = new_store()
    bench = Bench(store, runner)
    key = bench.key()
    key.task()
    runner.run(store._housekeeping.exchange())
    server.stop()
    fail(key)
    server.start()
    wait_until_available(bench)

    runner.run(store._housekeeping.exchange())
    assert runner.run(new_store().total_metrics()).submitted == 1


def test_no_journal_speaks_of_lost_data_after_a_removal(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    bench = Bench(new_store(), runner)
    key = bench.key()
    bench.run(new_store().remove(key.id))

    key.open()
    key.record()

    [(_, entry)] = key.sandbox.entries()
    assert entry.error == ""


def test_log_of_which_redis_lost_the_end_is_read_again(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    """After a failover, the new master may lack the last entries."""
    server.start()
    store = new_store()
    key, other = Bench(store, runner).key(), Bench(new_store(), runner).key()
    kept, lost = key.task(HELD), key.task(HELD)
    assert other.states().keys() == {kept.id, lost.id}
    runner.run(server.drop_last_entry(f"apixo-mock:{{{key.id}}}:log"))

    assert key.states().keys() == other.states().keys() == {kept.id}
    again = other.task(HELD)
    assert again.id == lost.id
    assert key.states().keys() == {kept.id, again.id}


def test_followers_hear_once_of_each_entry_in_the_place_of_those_that_redis_lost(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    store = new_store()
    key = Bench(store, runner).key()
    told: list[tuple[int, bytes]] = []

    def follow(notice: Notice) -> None:
        if isinstance(notice, Recorded):
            told.append((notice.number, notice.entry.answer))

    store.follow(key.id, follow)
    key.record(b"kept")
    key.record(b"lost")
    runner.run(server.drop_last_entry(f"apixo-mock:{{{key.id}}}:log"))
    other = Bench(new_store(), runner).key()
    other.record(b"new")
    other.record(b"newer")

    key.states()

    assert told == [(1, b"kept"), (2, b"lost"), (2, b"new"), (3, b"newer")]


def test_evicted_part_of_a_sandbox_is_a_new_sandbox(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    key = Bench(new_store(), runner).key()
    key.task()
    runner.run(server.send("DEL", f"apixo-mock:{{{key.id}}}:log"))

    key.open()

    assert key.states() == {}
