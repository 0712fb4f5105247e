"""Redis contains what a process cannot use: data of another version, or damaged data."""

import asyncio
from typing import Any

import msgspec
import pytest

from mock_server.domain.command_codec import FORMAT
from mock_server.domain.errors import StoreUnavailable
from mock_server.store.redis.keys import EPOCH, SANDBOXES, SERVER, SandboxKeys
from tests.mock_server.store.bench import MODEL, Bench, Key
from tests.mock_server.store.redis.outages import fail
from tests.mock_server.store.redis.processes import Clock, NewProcess, pass_time
from tests.mock_server.store.redis.stores import TEMPLATE, NewStore
from tests.redis_server import RedisServer


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


def test_record_of_a_newer_version_may_have_other_members(
    server: RedisServer, new_store: NewStore, runner: asyncio.Runner
) -> None:
    server.start()
    newer = {"format": FORMAT + 1, "seed": {"of": "another type"}}
    runner.run(server.send("SET", SERVER, msgspec.json.encode(newer)))

    problem = new_store().problem

    assert problem is not None
    assert "newer version" in problem


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

    with pytest.raises(StoreUnavailable, match=r"is damaged .*; DELETE"):
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


def test_processes_of_one_mock_have_one_seed(server: RedisServer, new_store: NewStore) -> None:
    server.start()
    first = new_store(seed=7)

    assert new_store(seed=None).seed == first.seed == 7
    problem = new_store(seed=8).problem
    assert problem is not None
    assert "--seed 7" in problem


@pytest.mark.parametrize(
    ("changes", "advice"),
    [({"price_usd": 1.0}, "use --price 0.035, or"), ({"id": "new"}, "use the same version of")],
)
def test_processes_of_one_mock_have_one_catalogue(
    server: RedisServer, new_store: NewStore, changes: dict[str, Any], advice: str
) -> None:
    """With other models, the commands of the log would have other results."""
    server.start()
    new_store()
    models = {MODEL.id: msgspec.structs.replace(MODEL, **changes)}
    problem = new_store(template=msgspec.structs.replace(TEMPLATE, models=models)).problem

    assert problem is not None
    assert advice in problem


def test_new_sandbox_replaces_an_idle_one_although_an_older_one_is_damaged(
    new_process: NewProcess, clock: Clock, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process(max_sandboxes=2)
    damaged, idle = process.bench.key("damaged"), process.bench.key("idle")
    damage(redis_server, runner, damaged)
    pass_time(clock, idle, 60_000)

    new = process.bench.key("new")

    assert [each.id for each in runner.run(process.store.sandboxes())] == [new.id]


def test_expired_sandboxes_are_removed_although_one_is_damaged(
    new_process: NewProcess, clock: Clock, redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    process = new_process(ttl_ms=60_000)
    damaged, gone = process.bench.key("damaged"), process.bench.key("gone")
    damage(redis_server, runner, damaged)
    runner.run(redis_server.send("DEL", *SandboxKeys(gone.id).all))
    pass_time(clock, gone, 120_000)

    process.tidy()

    assert runner.run(redis_server.send("ZCARD", SANDBOXES)) == 0


def damage(redis_server: RedisServer, runner: asyncio.Runner, key: Key) -> None:
    runner.run(redis_server.send("XADD", SandboxKeys(key.id).log, "*", "foreign", "entry"))
