"""Waits for a condition in a sandbox, and outages of the store."""

import asyncio

import pytest

from mock_server.control.waiting import until
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.store import SandboxReader
from tests.mock_server.fake_stores import WaitingStore
from tests.mock_server.runtime.listening import pass_time, settled
from tests.mock_server.store.redis.stores import TEMPLATE

PROBLEM = "the store is away"
TIMEOUT_S = 60.0


async def waiting_in(store: WaitingStore) -> "asyncio.Task[tuple[int, bool]]":
    """Begin to wait for a condition that time alone meets after a second."""
    loop = asyncio.get_running_loop()
    sandbox = await store.open("0" * 16, is_broke=False, real_ms=0)
    met_s = loop.time() + 1

    def check(_: SandboxReader) -> tuple[int, bool]:
        return 7, loop.time() >= met_s

    task = asyncio.create_task(
        until(store, sandbox, check, TIMEOUT_S, lambda _: met_s - loop.time())
    )
    await settled()
    return task


async def pass_all(seconds: float) -> None:
    pass_time(seconds)
    await settled()


def test_wait_fails_at_its_deadline_if_the_store_is_away_then() -> None:
    async def wait() -> None:
        store = WaitingStore(TEMPLATE)
        task = await waiting_in(store)
        store.problem = PROBLEM

        await pass_all(1)
        assert not task.done()  # Another process may have changed what the condition is about.
        await pass_all(TIMEOUT_S)

        with pytest.raises(StoreUnavailable, match=PROBLEM):
            await task

    asyncio.run(wait())


def test_wait_ends_soon_after_an_outage_if_its_condition_was_met_meanwhile() -> None:
    async def wait() -> None:
        store = WaitingStore(TEMPLATE)
        task = await waiting_in(store)
        store.problem = PROBLEM
        await pass_all(5)
        assert not task.done()

        store.problem = None
        await pass_all(1)

        assert await task == (7, True)

    asyncio.run(wait())
