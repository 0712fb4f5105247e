"""A slow receiver delays no other: attempts wait for slots of their own receiver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mock_server.runtime.egress import Egress
from mock_server.runtime.sender import HttpSender
from tests.mock_server.runtime.listening import (
    pass_time,
    silent,
    until,
)
from tests.mock_server.runtime.receivers import (
    LIMIT_S,
    OK,
    answering,
    receiving,
)

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def narrow(
    max_per_receiver: int = 32, max_in_flight: int = 1000
) -> AsyncIterator[HttpSender]:
    sender = HttpSender(
        Egress.PRIVATE, max_per_receiver=max_per_receiver, max_in_flight=max_in_flight
    )
    yield sender
    await sender.aclose()


async def test_a_receiver_that_hangs_blocks_only_its_own_slots() -> None:
    async with (
        receiving(silent) as dead,
        receiving(answering(OK)) as live,
        narrow(max_per_receiver=2, max_in_flight=3) as sender,
        asyncio.timeout(LIMIT_S / 2),
    ):
        hanging = [asyncio.create_task(sender.post(dead.url, b"{}")) for _ in range(9)]
        sent = await asyncio.gather(*[sender.post(live.url, b"{}") for _ in range(20)])
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)

    assert {answer.status for answer in sent} == {200}
    assert dead.connections <= 2


async def test_all_receivers_together_stay_within_max_in_flight() -> None:
    under_way = most = 0

    async def count(writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        under_way -= 1
        await answering(OK)(writer)

    async with (
        receiving(count) as one,
        receiving(count) as two,
        narrow(max_in_flight=3) as sender,
    ):
        urls = [one.url, two.url] * 10
        sent = await asyncio.gather(*[sender.post(url, b"{}") for url in urls])

    assert {answer.status for answer in sent} == {200}
    assert most == 3


async def test_waiting_for_a_slot_does_not_count_towards_the_timeout() -> None:
    async with receiving(silent) as receiver, narrow(max_per_receiver=1) as sender:
        posting = [asyncio.create_task(sender.post(receiver.url, b"{}")) for _ in range(3)]
        for number in (1, 2, 3):
            await receiver.until_connected(number)
            pass_time(LIMIT_S)
        sent = await asyncio.gather(*posting)

    assert receiver.connections == 3
    assert {answer.error for answer in sent} == {"no response within 30 s"}


async def test_cancelling_an_attempt_frees_its_slot() -> None:
    async with receiving(silent) as receiver, narrow(max_per_receiver=1) as sender:
        running = asyncio.create_task(sender.post(receiver.url, b"{}"))
        waiting = asyncio.create_task(sender.post(receiver.url, b"{}"))
        await until(lambda: receiver.requests != [])
        running.cancel()
        waiting.cancel()
        ends = await asyncio.gather(running, waiting, return_exceptions=True)

        assert [type(end) for end in ends] == [asyncio.CancelledError] * 2
        assert sender._lanes._lanes == {}
