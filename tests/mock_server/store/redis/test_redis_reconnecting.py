"""A store connects to Redis again with the next command, which waits for that if it can."""

import asyncio
from collections.abc import Iterator

import pytest

from mock_server.domain.errors import StoreUnavailable
from mock_server.store.redis.client import TIMEOUT_S
from mock_server.store.redis.keys import SERVER
from mock_server.store.redis.store import RedisStore
from tests.mock_server.runtime.listening import pass_time
from tests.mock_server.store.bench import START_MS
from tests.mock_server.store.redis.stores import opened
from tests.patience import PATIENCE_S
from tests.redis_server import RedisServer

IDS = [f"{number:016x}" for number in range(5)]


@pytest.fixture
def redis_timeout() -> None:
    """Keep the timeout that users have."""


@pytest.fixture
def own_runner() -> Iterator[asyncio.Runner]:
    """Return a runner whose clock a test may move."""
    with asyncio.Runner() as runner:
        yield runner


async def use(store: RedisStore, ids: list[str] = IDS) -> None:
    """Use several connections at the same time, each of which is open afterwards."""
    opened = (store.open(each, is_broke=False, real_ms=START_MS) for each in ids)
    await asyncio.gather(*opened)
    await asyncio.gather(*(store._send(("GET", SERVER)) for _ in ids))


async def read_what_has_arrived() -> None:
    """Let the event loop notice which connections were closed."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_requests_wait_until_a_restarted_redis_is_connected_again(
    server: RedisServer, runner: asyncio.Runner
) -> None:
    async def restart() -> None:
        store = await opened(server.address)
        await use(store)
        server.stop()
        server.start("--appendonly", "yes")
        await read_what_has_arrived()

        found = await asyncio.gather(*map(store.read, IDS))

        assert None not in found
        assert store.problem is None
        await store.aclose()

    server.start("--appendonly", "yes")
    runner.run(restart())


def test_process_joins_again_before_the_first_command_to_a_restarted_redis(
    server: RedisServer, runner: asyncio.Runner
) -> None:
    async def restart() -> None:
        store = await opened(server.address)
        await use(store)
        instance = store._servers.instance
        server.stop()
        server.start()
        await read_what_has_arrived()

        assert await store.read(IDS[0]) is None
        assert store._servers.instance != instance
        await store.aclose()

    server.start()
    runner.run(restart())


def test_connection_that_redis_closes_is_no_outage_while_there_are_others(
    server: RedisServer, runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    async def close_all_but_the_first() -> None:
        store = await opened(server.address)
        await use(store)
        connections = store._connection._client._idle  # type: ignore[attr-defined]
        ids = [(await _client_id(each)) for each in connections]
        assert len(ids) > 1
        for each in ids[1:]:
            await server.send("CLIENT", "KILL", "ID", each)
        await read_what_has_arrived()

        await use(store)

        assert store.problem is None
        await store.aclose()

    server.start()
    runner.run(close_all_but_the_first())
    assert caplog.messages == []


async def _client_id(connection: object) -> int:
    await connection.send_command("CLIENT", "ID")  # type: ignore[attr-defined]
    return int(await connection.read_response())  # type: ignore[attr-defined]


def test_request_does_not_wait_long_for_a_redis_that_hangs(
    server: RedisServer, own_runner: asyncio.Runner
) -> None:
    async def hang() -> None:
        store = await opened(server.address)
        await use(store)
        server.pause()
        sent = asyncio.create_task(store.read(IDS[0]))
        await read_what_has_arrived()
        pass_time(TIMEOUT_S)
        with pytest.raises(StoreUnavailable, match="did not respond"):
            await sent

        waiting = asyncio.create_task(store.read(IDS[1]))
        await read_what_has_arrived()
        assert not waiting.done()
        pass_time(TIMEOUT_S / 2)  # The attempt to connect goes on.
        with pytest.raises(StoreUnavailable, match="did not respond"):
            await waiting

        server.resume()
        async with asyncio.timeout(PATIENCE_S):
            while store.problem is not None:  # noqa: ASYNC110  # It has no event.
                await asyncio.sleep(0.01)
        assert await store.read(IDS[1]) is not None
        await store.aclose()

    server.start()
    own_runner.run(hang())


def test_requests_fail_at_once_after_the_first_attempt_to_connect(
    server: RedisServer, runner: asyncio.Runner
) -> None:
    async def leave() -> None:
        store = await opened(server.address)
        await use(store)
        server.stop()
        await read_what_has_arrived()
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await store.read(IDS[0])

        again = asyncio.create_task(store.read(IDS[0]))
        await read_what_has_arrived()
        assert again.done()
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await again
        await store.aclose()

    server.start()
    runner.run(leave())
