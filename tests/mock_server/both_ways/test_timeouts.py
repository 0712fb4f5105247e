"""When the server closes connections of clients that are idle, send too slowly or do not read."""

import asyncio
import json
from typing import Any

import pytest

from mock_server.connection_limit import ConnectionLimit
from mock_server.http_protocol import HttpProtocol
from tests.mock_server.both_ways.stepped import (
    GET_BALANCE,
    HEAD,
    HIGH_WATER_BYTES,
    KINDS,
    Client,
    SteppedLoop,
    Way,
    connected,
    settled,
    statuses,
)
from tests.mock_server.e2e.api import SUBMIT

pytestmark = pytest.mark.anyio
HEAD_S = BODY_S = 60
KEEP_ALIVE_S = 75
LINGER_S = 30
SUBMITTED = KINDS[2][1]
CHUNKED = f"POST {SUBMIT} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
LONG = f"POST {SUBMIT} HTTP/1.1\r\n{HEAD}Content-Length: 1000000\r\n\r\n".encode()
BODIES = {
    "short": LONG.replace(b"1000000", b"9"),
    "chunked": CHUNKED + b"9\r",
    "long": LONG,
    "begun": LONG + b"x" * 80_000,  # The application reads it already.
}
INCOMPLETE = [SUBMITTED[:10], SUBMITTED[:-1], *BODIES.values()]
NO_LIMITS: dict[str, Any] = {"head_timeout_ms": 0, "body_timeout_ms": 0, "keep_alive_timeout_ms": 0}


async def received(
    protocol: HttpProtocol, client: Client, loop: SteppedLoop, data: bytes, seconds: float
) -> bytes:
    """Send data, let time pass, and return what the server has sent."""
    if data:
        protocol.data_received(data)
    await settled(client)
    loop.advance(seconds)
    await settled(client)
    return client.read()


async def test_a_connection_without_any_request_is_closed(way: Way) -> None:
    async with connected(way) as (_, client, loop):
        loop.advance(KEEP_ALIVE_S - 1)
        is_closed_early = client.is_closing()
        loop.advance(1)

        assert (is_closed_early, client.is_closing()) == (False, True)
        assert client.read() == b""


@pytest.mark.parametrize("before", [b"", GET_BALANCE], ids=["first", "second"])
async def test_headers_must_be_complete_in_time_however_often_a_byte_arrives(
    way: Way, before: bytes
) -> None:
    async with connected(way) as (protocol, client, loop):
        await received(protocol, client, loop, before, KEEP_ALIVE_S - 1)
        for at in range(HEAD_S - 1):
            assert not await received(protocol, client, loop, GET_BALANCE[at : at + 1], 1)
        sent = await received(protocol, client, loop, GET_BALANCE[HEAD_S - 1 : HEAD_S], 1)

        assert statuses(sent) == [408]
        assert json.loads(sent.partition(b"\r\n\r\n")[2])["code"] == 408
        assert client.is_ended


@pytest.mark.parametrize("kind", BODIES)
async def test_each_part_of_a_body_must_arrive_in_time(way: Way, kind: str) -> None:
    async with connected(way) as (protocol, client, loop):
        first = await received(protocol, client, loop, GET_BALANCE + BODIES[kind], BODY_S - 1)
        for part in (b"\n", b"a", b"b"):
            assert not await received(protocol, client, loop, part, BODY_S - 1)
        sent = await received(protocol, client, loop, b"", 1)

        assert statuses(first + sent) == [200, 408]
        assert client.is_ended


@pytest.mark.parametrize("request_bytes", INCOMPLETE)
async def test_without_limits_a_client_may_take_all_the_time(
    way: Way, request_bytes: bytes
) -> None:
    async with connected(way, **NO_LIMITS) as (protocol, client, loop):
        assert not await received(protocol, client, loop, request_bytes, 10_000_000)
        assert not client.is_ended


@pytest.mark.parametrize("cut", [10, -1])
async def test_a_client_in_time_is_answered(way: Way, cut: int) -> None:
    async with connected(way) as (protocol, client, loop):
        for _ in range(3):
            await received(protocol, client, loop, SUBMITTED[:cut], HEAD_S - 1)
            sent = await received(protocol, client, loop, SUBMITTED[cut:], KEEP_ALIVE_S - 1)

            assert statuses(sent) == [400]
            assert not client.is_ended


async def test_a_client_that_reads_nothing_is_cut_off(way: Way) -> None:
    number = 2 * HIGH_WATER_BYTES // 150
    async with connected(way) as (protocol, client, loop):
        protocol.data_received(GET_BALANCE * number)
        await settled(client)
        loop.advance(BODY_S - 1)
        is_closed_early = client.is_closing()
        loop.advance(BODY_S + 1)

        assert (is_closed_early, client.is_closing()) == (False, True)


async def test_after_an_error_the_server_drops_data_until_the_client_ends(way: Way) -> None:
    async with connected(way) as (protocol, client, loop):
        sent = await received(protocol, client, loop, GET_BALANCE + b"NONSENSE\r\n\r\n", 0)
        more = await received(protocol, client, loop, GET_BALANCE * 1_000, LINGER_S - 1)
        was_closing = client.is_closing()
        keeps = protocol.eof_received()

        assert (statuses(sent), more) == ([200, 400], b"")
        assert (client.is_ended, was_closing, bool(keeps)) == (True, False, False)


async def test_after_an_error_the_server_does_not_wait_long_for_the_client(way: Way) -> None:
    async with connected(way) as (protocol, client, loop):
        await received(protocol, client, loop, b"NONSENSE\r\n\r\n", LINGER_S)

        assert client.is_closing()


async def test_a_stopping_server_does_not_wait_for_the_client_after_an_error(way: Way) -> None:
    async with connected(way) as (protocol, client, loop):
        await received(protocol, client, loop, b"NONSENSE\r\n\r\n", 0)
        protocol.shutdown()

        assert client.is_closing()


async def test_the_rest_of_a_body_is_dropped_after_the_last_response(way: Way) -> None:
    """Otherwise the system would reset the connection, and the client might not get it."""
    last = LONG.replace(b"1000000", b"90000000").replace(b"Host", b"Connection: close\r\nHost")
    async with connected(way) as (protocol, client, loop):
        sent = await received(protocol, client, loop, last, 0)
        more = await received(protocol, client, loop, b"x" * 100_000, 0)

        assert (statuses(sent), more) == ([413], b"")
        assert (client.is_ended, client.is_closing()) == (True, False)


def control(method: str, path: str, body: str = "") -> bytes:
    return (
        f"{method} /_mock/{path} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def test_a_client_whose_response_is_delayed_by_a_rule_is_not_idle(way: Way) -> None:
    async with connected(way) as (protocol, client, loop):
        may_go_on = asyncio.Event()
        client.app._responder._sleep = lambda _: may_go_on.wait()  # type: ignore[assignment,return-value]
        rule = control("POST", "next", '{"apply": {"latency": "60s"}}')
        sent = await received(protocol, client, loop, rule, 0)
        sent += await received(protocol, client, loop, GET_BALANCE, 36_000)
        may_go_on.set()
        await settled(client)

        assert statuses(sent + client.read()) == [200, 200]


@pytest.mark.parametrize("path", ["events", "journal/wait?timeout=300"])
async def test_a_client_that_waits_for_an_event_is_not_idle(way: Way, path: str) -> None:
    async with connected(way) as (protocol, client, loop):
        await received(protocol, client, loop, control("GET", path), 36_000)

        assert not client.is_ended


async def test_the_next_request_may_arrive_slowly_while_a_response_is_delayed(way: Way) -> None:
    async with connected(way) as (protocol, client, loop):
        may_go_on = asyncio.Event()
        client.app._responder._sleep = lambda _: may_go_on.wait()  # type: ignore[assignment,return-value]
        rule = control("POST", "next", '{"apply": {"latency": "60s"}}')
        sent = await received(protocol, client, loop, rule, 0)
        await received(protocol, client, loop, GET_BALANCE + GET_BALANCE[:20], 36_000)
        may_go_on.set()
        await settled(client)
        loop.advance(HEAD_S - 1)
        sent += await received(protocol, client, loop, GET_BALANCE[20:], 0)

        assert statuses(sent) == [200, 200, 200]


async def test_after_the_last_response_no_more_requests_are_served(way: Way) -> None:
    last = GET_BALANCE.replace(b"Host", b"Connection: close\r\nHost")
    async with connected(way) as (protocol, client, loop):
        sent = await received(protocol, client, loop, last + GET_BALANCE * 2, 0)
        sent += await received(protocol, client, loop, GET_BALANCE, 0)

        assert statuses(sent) == [200]
        assert client.is_ended


async def test_a_client_that_waits_for_100_continue_is_not_slow(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    expecting = SUBMITTED.replace(b"Host", b"Expect: 100-continue\r\nHost")
    async with connected(way) as (protocol, client, loop):
        may_go_on = asyncio.Event()
        find = client.app._api_keys.sandbox

        async def find_later(*given: Any, **named: Any) -> Any:
            await may_go_on.wait()
            return await find(*given, **named)

        monkeypatch.setattr(client.app._api_keys, "sandbox", find_later)
        sent = await received(protocol, client, loop, expecting[:-2], 10 * BODY_S)
        may_go_on.set()
        sent += await received(protocol, client, loop, b"", BODY_S - 1)
        sent += await received(protocol, client, loop, expecting[-2:], 0)

        assert statuses(sent) == [100, 400]


@pytest.mark.parametrize(("max_files", "sent"), [(100, [503]), (1, [])], ids=["some", "none"])
async def test_a_connection_beyond_the_limit_is_rejected_and_never_served(
    way: Way, monkeypatch: pytest.MonkeyPatch, max_files: int, sent: list[int]
) -> None:
    """Without files to spare, the server does not wait until the client has read the response."""
    limit = ConnectionLimit(max_connections=0, max_files=max_files)
    monkeypatch.setattr(ConnectionLimit, "of_process", lambda: limit)
    async with connected(way) as (protocol, client, loop):
        was_closing = client.is_closing()
        if not was_closing:  # The client has not noticed the end yet.
            protocol.data_received(GET_BALANCE)
        await settled(client)
        loop.advance(1)

        assert statuses(client.read()) == sent
        assert (was_closing, client.is_closing()) == (not sent, True)
