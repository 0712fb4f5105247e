"""Responses leave after the store has written their commands; without the store, they are 503."""

import asyncio
import json
from typing import Any

import pytest

from mock_server.domain.commands import TakeSnapshot
from mock_server.wiring import MockServer
from tests.mock_server.both_ways.stepped import (
    GET_BALANCE,
    HEAD,
    KINDS,
    Way,
    connected,
    settled,
    statuses,
)
from tests.mock_server.e2e.api import SUBMIT
from tests.mock_server.fake_stores import DurableStore

pytestmark = pytest.mark.anyio
BODY = json.dumps(
    {
        "request_type": "callback",
        "callback_url": "http://127.0.0.1:9/",
        "input": {"prompt": "[[mock hold]] a fox"},
    }
).encode()
CALLBACK_SUBMIT = (
    f"POST {SUBMIT} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n"
).encode() + BODY


def store_of(app: MockServer) -> DurableStore:
    assert isinstance(app._store, DurableStore)
    return app._store


async def snapshot(store: DurableStore) -> Any:
    [sandbox] = await store.sandboxes()
    return (await store.execute(sandbox.id, TakeSnapshot(real_ms=0))).snapshot()


async def test_no_response_leaves_before_its_commands_are_written(durable_way: Way) -> None:
    async with connected(durable_way) as (protocol, client, _):
        store = store_of(client.app)
        written = asyncio.Event()
        store.before_write = written.wait
        protocol.data_received(GET_BALANCE + KINDS[1][1] + GET_BALANCE)
        await settled(client)
        early = bytes(client.unread)
        written.set()
        await settled(client)

        assert early == b""
        assert statuses(client.read()) == [200, 404, 200]


async def test_commands_that_cannot_be_written_get_503_in_their_place(durable_way: Way) -> None:
    async with connected(durable_way) as (protocol, client, _):
        store = store_of(client.app)
        store.write_problem = "the disk is full"
        protocol.data_received(b"".join(request for _, request in KINDS))
        await settled(client)
        failed = client.read()
        store.write_problem = None
        protocol.data_received(GET_BALANCE)
        await settled(client)

        assert statuses(failed) == [503] * len(KINDS)
        assert statuses(client.read()) == [200]
        assert not client.is_closing()


async def test_requests_get_503_while_the_store_cannot_be_used(durable_way: Way) -> None:
    async with connected(durable_way) as (protocol, client, _):
        store = store_of(client.app)
        protocol.data_received(GET_BALANCE)
        await settled(client)
        client.read()
        store.problem = "the disk is gone"
        protocol.data_received(b"".join(request for _, request in KINDS))
        await settled(client)
        store.problem = None

        received = client.read()
        head, _, body = received.rpartition(b"\r\n\r\n")
        assert statuses(received) == [503] * len(KINDS)
        assert head.lower().count(b"\r\nretry-after: 1") == len(KINDS)
        assert json.loads(body) == {
            "code": 503,
            "message": "Service unavailable",
            "data": {"error": "the disk is gone"},
        }
        assert len((await snapshot(store)).journal) == 1


@pytest.mark.parametrize("commands", range(1, 4))
async def test_response_is_either_recorded_or_503(durable_way: Way, commands: int) -> None:
    """The store fails after so many operations for a submit with a callback."""
    async with connected(durable_way) as (protocol, client, _):
        store = store_of(client.app)
        store.problem_after = commands, "the disk is gone"
        protocol.data_received(CALLBACK_SUBMIT)
        await settled(client)
        store.problem, store.problem_after = None, None

        taken = await snapshot(store)
        recorded = [entry.status for entry in taken.journal]
        [status] = statuses(client.read())
        assert status in {200, 503}
        assert status == 503 or recorded == [200]
        assert status == 503 or len(taken.deliveries) == 1


async def test_callback_is_scheduled_before_the_response_leaves(durable_way: Way) -> None:
    async with connected(durable_way) as (protocol, client, _):
        store = store_of(client.app)
        written = asyncio.Event()
        store.before_write = written.wait
        protocol.data_received(CALLBACK_SUBMIT)
        await settled(client)
        early = bytes(client.unread), len((await snapshot(store)).deliveries)
        written.set()
        await settled(client)

        assert early == (b"", 1)
        assert statuses(client.read()) == [200]


async def test_commands_of_a_client_that_is_gone_are_complete(durable_way: Way) -> None:
    async with connected(durable_way) as (protocol, client, _):
        store = store_of(client.app)
        written = asyncio.Event()
        store.before_write = written.wait
        protocol.data_received(GET_BALANCE)
        await settled(client)
        client.close()
        written.set()
        await settled(client)

        assert client.unread == b"" or not durable_way.is_direct
        assert [entry.status for entry in (await snapshot(store)).journal] == [200]


async def test_client_that_stops_sending_gets_its_response_before_the_end(way: Way) -> None:
    async with connected(way) as (protocol, client, _):
        protocol.data_received(GET_BALANCE)
        is_kept = protocol.eof_received()
        await settled(client)

        assert is_kept or way.make_store is not DurableStore
        assert statuses(client.read()) == [200]
        assert client.is_closing()
