"""Connections whose client does not read, is idle, or is connected when the server stops."""

import asyncio
import gc
import json
import logging
from bisect import bisect_left
from itertools import accumulate, pairwise
from typing import Any

import pytest

from mock_server.web.responder import Responder
from tests.mock_server.both_ways.stepped import (
    GET_BALANCE,
    HEAD,
    HIGH_WATER_BYTES,
    KINDS,
    Way,
    connected,
    settled,
    statuses,
)
from tests.mock_server.e2e.api import SUBMIT

pytestmark = pytest.mark.anyio
KEEP_ALIVE_S = 75
READ_TIMEOUT_S = 60


@pytest.mark.parametrize("kinds", [KINDS, KINDS[:3]], ids=["all kinds", "plain requests"])
@pytest.mark.parametrize("chunk_bytes", [8 * 1024, 64 * 1024])
@pytest.mark.parametrize("is_split", [False, True], ids=["whole requests", "split requests"])
async def test_a_client_that_does_not_read_is_not_buffered_without_bound(
    way: Way,
    chunk_bytes: int,
    kinds: list[tuple[int, bytes]],
    is_split: bool,  # noqa: FBT001
) -> None:
    """The client sends as fast as the server reads, and reads nothing until the server stops."""
    sent = [kinds[int(digit) % len(kinds)] for digit in str(7**3_000)]  # Not in a simple order.
    data = b"".join(request for _, request in sent)
    ends = list(accumulate(len(request) for _, request in sent))
    async with connected(way) as (protocol, client, _):
        received, fed_bytes, pending_bytes, unread_bytes = b"", 0, 0, 0
        turns_without_data = 0
        while client.responses < len(sent):
            if client.reads and fed_bytes < len(data):
                end = min(len(data), fed_bytes + chunk_bytes)
                end = end if is_split else ends[bisect_left(ends, end)]
                protocol.data_received(data[fed_bytes:end])
                fed_bytes = end
                turns_without_data = 0
            await asyncio.sleep(0)
            turns_without_data += 1
            if turns_without_data > 1_000:  # The server waits for its client.
                received += client.read()
                turns_without_data = 0
            answered = client.responses
            pending_bytes = max(pending_bytes, fed_bytes - (ends[answered - 1] if answered else 0))
            unread_bytes = max(unread_bytes, len(client.unread))

        received += client.read()
        assert pending_bytes <= 2 * chunk_bytes + 1_000
        assert unread_bytes < HIGH_WATER_BYTES + 64 * 1024
        assert statuses(received) == [status for status, _ in sent]
        assert not client.is_closing()


async def test_an_idle_connection_is_closed(way: Way) -> None:
    async with connected(way) as (protocol, client, loop):
        protocol.data_received(GET_BALANCE)
        await settled(client)
        loop.advance(KEEP_ALIVE_S - 1)
        is_closed_early = client.is_closing()
        loop.advance(1)

        assert (is_closed_early, client.is_closing()) == (False, True)


@pytest.mark.parametrize(("_", "request_bytes"), KINDS, ids=[str(status) for status, _ in KINDS])
async def test_each_response_restarts_the_timer_of_an_idle_connection(
    way: Way,
    _: int,
    request_bytes: bytes,
) -> None:
    async with connected(way) as (protocol, client, loop):
        for request in (GET_BALANCE, request_bytes, GET_BALANCE, request_bytes):
            protocol.data_received(request)
            await settled(client)
            loop.advance(KEEP_ALIVE_S - 1)
            assert not client.is_closing()
        loop.advance(1)

        assert client.is_closing()


async def test_a_client_that_reads_late_receives_all_its_responses(
    way: Way,
) -> None:
    number = 2 * HIGH_WATER_BYTES // 150
    async with connected(way) as (protocol, client, loop):
        protocol.data_received(GET_BALANCE * number)
        await settled(client)

        received = b""
        while client.unread:
            loop.advance(READ_TIMEOUT_S - 1)
            received += client.read()
            await settled(client)

        assert statuses(received) == [200] * number


async def test_other_connections_are_served_between_requests_with_long_prompts(way: Way) -> None:
    """The check of a prompt of 10,000 combining marks takes two milliseconds."""
    body = json.dumps({"input": {"prompt": "\u0316\u0301" * 5_000}}, ensure_ascii=False).encode()
    head = f"POST {SUBMIT} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
    submit = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    async with connected(way) as (protocol, client, _):
        protocol.data_received(submit * 10)
        counts = [client.responses]
        while client.responses < 10:
            await asyncio.sleep(0)
            counts.append(client.responses)

        assert statuses(client.read()) == [200] * 10
        assert max(after - before for before, after in pairwise([0, *counts])) == 1


async def test_a_stopping_server_closes_idle_connections_at_once(
    way: Way,
) -> None:
    async with connected(way) as (protocol, client, _):
        protocol.data_received(GET_BALANCE)
        await settled(client)
        protocol.shutdown()

        assert client.is_closing()


@pytest.mark.parametrize("more", [[], KINDS[:3]], ids=["one request", "several requests"])
async def test_the_end_of_data_keeps_the_responses_and_the_error_before_it(
    way: Way,
    more: list[tuple[int, bytes]],
) -> None:
    sent = [KINDS[3], *more]
    async with connected(way) as (protocol, client, _):
        protocol.data_received(b"".join(request for _, request in sent) + b"NONSENSE\r\n\r\n")
        protocol.eof_received()
        await settled(client)

        assert statuses(client.read()) == [*(status for status, _ in sent), 400]
        assert client.is_closing()


async def test_the_end_of_data_after_an_invalid_body_keeps_the_responses(
    way: Way,
) -> None:
    chunked = GET_BALANCE.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost")
    async with connected(way) as (protocol, client, _):
        protocol.data_received(KINDS[3][1] + chunked + b"NONSENSE")
        protocol.eof_received()
        protocol.shutdown()
        await settled(client)

        assert statuses(client.read()) == [405, 400]
        assert client.is_closing()


@pytest.mark.parametrize("cut", [10, -1])
async def test_a_stopping_server_does_not_wait_for_the_rest_of_a_request(
    way: Way,
    cut: int,
) -> None:
    async with connected(way) as (protocol, client, _):
        protocol.data_received(GET_BALANCE + KINDS[2][1][:cut])
        protocol.shutdown()
        await settled(client)

        assert statuses(client.read()) == [200]
        assert client.is_closing()


async def test_a_stopping_server_answers_the_requests_that_it_has(
    way: Way,
) -> None:
    async with connected(way) as (protocol, client, _):
        protocol.data_received(GET_BALANCE * 250)
        protocol.shutdown()
        await settled(client)

        assert statuses(client.read()) == [200] * 250
        assert client.is_closing()


async def test_requests_of_a_lost_connection_end_without_errors(
    way: Way, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, ordinary = KINDS[-1]
    for name in ("asyncio", "mock_server", "uvicorn.error"):  # as below
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
        monkeypatch.setattr(logging.getLogger(name), "handlers", [caplog.handler])
    async with connected(way) as (protocol, _client, _loop):
        protocol.data_received(ordinary * 3)
    gc.collect()  # A task that has failed is reported when it is collected.

    assert caplog.messages == []


async def test_a_request_that_fails_is_answered_with_500_and_ends_the_connection(
    way: Way,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = iter([False, True])
    record = Responder.record

    def failing(*arguments: Any) -> Any:
        if next(calls):
            raise RuntimeError
        return record(*arguments)

    monkeypatch.setattr(Responder, "record", failing)
    for name in ("mock_server", "uvicorn.error"):  # Other servers of the run must log no error.
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
        monkeypatch.setattr(logging.getLogger(name), "handlers", [caplog.handler])
    async with connected(way) as (protocol, client, _):
        protocol.data_received(GET_BALANCE * 3)
        await settled(client)
        received = client.read()

        assert statuses(received) == [200, 500]
        assert received[received.rindex(b"HTTP/1.1") :] == (
            b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: 21\r\nconnection: close\r\n\r\nInternal Server Error"
        )
        assert client.is_ended
        assert [each.levelname for each in caplog.records] == ["ERROR"]
