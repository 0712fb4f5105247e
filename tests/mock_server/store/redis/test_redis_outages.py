"""Redis is away, full or empty: commands fail as a whole, and work again without a restart."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mock_server.domain.command_codec import FORMAT
from mock_server.domain.commands import RecordExchange
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.store.redis.keys import EPOCH, SERVER, SandboxKeys
from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.bench import HELD, Bench, Key
from tests.mock_server.store.redis.stores import opened
from tests.patience import PATIENCE_S
from tests.redis_server import RedisServer, redis_binary

NewStore = Callable[..., RedisStore]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a server of its own for a test, which is not started yet."""
    server = RedisServer(redis_binary(), tmp_path)
    yield server
    server.stop()


@pytest.fixture
def new_store(server: RedisServer, runner: asyncio.Runner) -> Iterator[NewStore]:
    stores = []

    def new(**options: Any) -> RedisStore:
        stores.append(runner.run(opened(options.pop("address", server.address), **options)))
        return stores[-1]

    yield new
    for store in stores:
        runner.run(store.aclose())


def wait_until_available(bench: Bench) -> None:
    async def wait() -> None:
        async with asyncio.timeout(PATIENCE_S):
            while bench.store.problem is not None:  # noqa: ASYNC110  # It has no event.
                await asyncio.sleep(0.01)

    bench.run(wait())


def fail(key: Key) -> str:
    """Submit a task that must fail; return why."""
    with pytest.raises(StoreUnavailable) as failed:
        key.submit(HELD)
    return str(failed.value)


def record(key: Key) -> None:
    entry = Entry(
        at_ms=0,
        real_ms=0,
        operation=Operation.BALANCE,
        task_id="",
        status=200,
        duration_us=0,
        request=b"",
        answer=b"",
    )
    key.execute(RecordExchange, entry=entry)


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


def test_first_try_after_an_outage_finds_redis(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    """Several connections were open before; none of them works any more."""
    server.start()
    store = new_store()
    key = Bench(store, runner).key()

    async def use_many_connections() -> None:
        await asyncio.gather(*(store.read(f"{number:016x}") for number in range(5)))

    runner.run(use_many_connections())
    server.stop()
    server.start()
    fail(key)
    runner.run(store._connection._probe())

    assert store.problem is None


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
    record(key)
    record(key)

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
    runner.run(store._exchange())
    server.stop()
    server.start()
    fail(key)
    wait_until_available(bench)

    runner.run(store._exchange())
    assert runner.run(new_store().total_metrics()).submitted == 1


def test_no_journal_speaks_of_lost_data_after_a_removal(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    bench = Bench(new_store(), runner)
    key = bench.key()
    bench.run(new_store().remove(key.id))

    key.open()
    record(key)

    [(_, entry)] = key.sandbox.entries()
    assert entry.error == ""


def test_refused_connection_is_one_short_line(
    new_store: NewStore, caplog: pytest.LogCaptureFixture
) -> None:
    store = new_store(address="redis://127.0.0.1:1")

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
    server: RedisServer, new_store: NewStore, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.start("--requirepass", "right-one")
    with_password = server.address.replace("unix://", f"unix://:{password}@")

    store = new_store(address=with_password)

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


def test_evicted_part_of_a_sandbox_is_a_new_sandbox(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    key = Bench(new_store(), runner).key()
    key.task()
    runner.run(server.send("DEL", f"apixo-mock:{{{key.id}}}:log"))

    key.open()

    assert key.states() == {}


def test_process_stops_when_it_finds_a_newer_format(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    bench = Bench(new_store(), runner)
    key = bench.key()
    log, newer = f"apixo-mock:{{{key.id}}}:log", bytes([FORMAT + 1])
    [epoch] = runner.run(server.send("ZMSCORE", f"apixo-mock:{{{key.id}}}:meta", "epoch"))
    runner.run(server.send("XADD", log, "*", "e", int(epoch), "c", newer))

    assert "a newer version" in fail(key)
    assert bench.store.problem is not None
    assert "a newer version" in bench.store.problem


def test_process_of_an_older_version_does_not_join_a_newer_mock(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    new_store()
    record = msgspec.json.decode(runner.run(server.send("GET", SERVER)))
    newer = record | {"format": FORMAT + 1}
    runner.run(server.send("SET", SERVER, msgspec.json.encode(newer)))

    problem = new_store().problem

    assert problem is not None
    assert "newer version" in problem
    assert "upgrade" in problem


@pytest.mark.parametrize("is_loaded", [True, False])
@pytest.mark.parametrize("damage", ["an entry", "the type"])
def test_damaged_sandbox_fails_alone_until_it_is_removed(
    server: RedisServer,
    new_store: NewStore,
    runner: asyncio.Runner,
    damage: str,
    *,
    is_loaded: bool,
) -> None:
    server.start()
    bench = Bench(new_store(), runner)
    key, sound = bench.key("damaged"), bench.key("sound")
    keys = SandboxKeys(key.id)
    [epoch] = runner.run(server.send("ZMSCORE", keys.meta, EPOCH))
    if damage == "an entry":
        runner.run(server.send("XADD", keys.log, "*", "e", int(epoch), "c", bytes([FORMAT, 7])))
    else:
        runner.run(server.send("DEL", keys.log))
        runner.run(server.send("SET", keys.log, "junk"))
    store = bench.store if is_loaded else new_store()

    with pytest.raises(StoreUnavailable, match=r"is damaged .*; remove"):
        runner.run(store.read(key.id))
    assert store.problem is None
    assert [each.id for each in runner.run(store.sandboxes())] == [sound.id]
    runner.run(store.drop_all())

    assert runner.run(store.read(key.id)) is None


@pytest.mark.parametrize("stored", ["junk", "{}", '{"format": 1}', "[]"])
def test_damaged_record_of_the_mock_is_named(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner, stored: str
) -> None:
    server.start()
    runner.run(server.send("SET", SERVER, stored))

    problem = new_store().problem

    assert problem is not None
    assert problem.startswith(f"--store: the key {SERVER} in this Redis is damaged")


def test_record_of_a_newer_version_may_have_other_members(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    newer = {"format": FORMAT + 1, "seed": {"of": "another type"}}
    runner.run(server.send("SET", SERVER, msgspec.json.encode(newer)))

    problem = new_store().problem

    assert problem is not None
    assert "newer version" in problem


def test_processes_of_one_mock_have_one_seed(server: RedisServer, new_store: NewStore) -> None:
    server.start()
    first = new_store(seed=7)

    assert new_store(seed=None).seed == first.seed == 7
    problem = new_store(seed=8).problem
    assert problem is not None
    assert "--seed 7" in problem
