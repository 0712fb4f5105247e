"""A receiver can occupy neither the sender nor its connections nor its memory for long."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

import pytest

from mock_server.runtime.egress import Egress
from mock_server.runtime.sender import HttpSender
from tests.mock_server.runtime.listening import Write, listening, pass_time, settled, silent, until
from tests.mock_server.runtime.receivers import OK, answering, receiving, resetting
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
LONGER_THAN_BODIES_ARE_READ_S = 2
LONGER_THAN_CONNECTIONS_ARE_KEPT_S = 1


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    sender = HttpSender(Egress.LOOPBACK)
    yield sender
    await sender.aclose()


def flooding(start: bytes, data: bytes) -> Write:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(data)
            await writer.drain()

    return reply


def in_turn(*replies: Write) -> Write:
    """Reply to each request with the next one."""
    waiting = list(replies)

    async def reply(writer: asyncio.StreamWriter) -> None:
        await waiting.pop(0)(writer)

    return reply


def closing_with(answer: bytes) -> Write:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    return reply


@pytest.mark.parametrize(
    ("start", "data"),
    [
        (b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X-Header: value\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 10_000),
    ],
    ids=["1xx", "headers", "one header"],
)
async def test_a_head_without_end_fails_and_closes_the_connection(
    sender: HttpSender, start: bytes, data: bytes
) -> None:
    async with receiving(flooding(start, data)) as receiver, asyncio.timeout(PATIENCE_S):
        sent = await sender.post(receiver.url, b"{}")
        await receiver.lost.wait()

    assert sent.status is None
    assert (sent.error or "").startswith("invalid HTTP response: ")


@pytest.mark.parametrize("rest", [silent, resetting], ids=["hangs", "breaks"])
async def test_an_attempt_does_not_wait_for_the_body(sender: HttpSender, rest: Write) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        await answering(HEAD)(writer)
        await asyncio.sleep(0)
        await rest(writer)

    async with receiving(in_turn(half, answering(OK))) as receiver, asyncio.timeout(PATIENCE_S):
        first = await sender.post(receiver.url, b"{}")
        second = await sender.post(receiver.url, b"{}")

    assert (second.status, second.error) == (200, None)
    assert (first.status, first.error) in {(200, None), (None, "connection reset by peer")}


async def test_a_body_that_arrives_later_is_read_and_the_connection_is_used_again(
    sender: HttpSender,
) -> None:
    body_may_come = asyncio.Event()

    async def in_two_parts(writer: asyncio.StreamWriter) -> None:
        await answering(HEAD)(writer)
        await body_may_come.wait()
        await answering(b"ok")(writer)

    async with receiving(in_turn(in_two_parts, answering(OK))) as receiver:
        await sender.post(receiver.url, b"{}")
        body_may_come.set()
        await until(lambda: sender._client._idle != {})
        await sender.post(receiver.url, b"{}")

    assert (receiver.connections, len(receiver.requests)) == (1, 2)


async def test_a_body_that_does_not_end_closes_the_connection_after_seconds(
    sender: HttpSender,
) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        await answering(HEAD)(writer)

    async with receiving(half) as receiver, asyncio.timeout(PATIENCE_S):
        await sender.post(receiver.url, b"{}")
        pass_time(LONGER_THAN_BODIES_ARE_READ_S)
        await receiver.lost.wait()

    assert sender._client._draining == set()


async def test_few_connections_wait_for_bodies(sender: HttpSender) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        await answering(HEAD)(writer)

    async with receiving(half) as receiver:
        for _ in range(140):
            assert (await sender.post(receiver.url, b"{}")).status == 200

        assert len(sender._client._draining) == 128
        await sender.aclose()
        await until(lambda: sender._client._draining == set())


@asynccontextmanager
async def kept_connection(
    sender: HttpSender,
) -> AsyncIterator[tuple[str, socket.socket, socket.socket]]:
    """Give the URL of a receiver, its listening socket, and a connection that the sender keeps."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        posting = asyncio.create_task(sender.post(url, b"1"))
        kept, _ = await loop.sock_accept(server)
        await loop.sock_recv(kept, 1000)
        await loop.sock_sendall(kept, OK)
        assert (await posting).status == 200
        yield url, server, kept


async def test_a_request_on_a_connection_that_was_just_closed_is_sent_on_another(
    sender: HttpSender,
) -> None:
    loop = asyncio.get_running_loop()
    async with kept_connection(sender) as (url, server, kept), asyncio.timeout(PATIENCE_S):
        kept.close()  # The event loop has not yet seen it when the next request is sent.
        posting = asyncio.create_task(sender.post(url, b"2"))
        other, _ = await loop.sock_accept(server)
        with other:
            received = await loop.sock_recv(other, 1000)
            await loop.sock_sendall(other, OK)

        assert ((await posting).status, received[-1:]) == (200, b"2")


@pytest.mark.parametrize("breaks", [closing_with(b""), resetting], ids=["closes", "resets"])
async def test_a_request_that_a_receiver_got_is_not_sent_again(
    sender: HttpSender, breaks: Write
) -> None:
    async with receiving(in_turn(answering(OK), breaks)) as receiver:
        await sender.post(receiver.url, b"1")
        sent = await sender.post(receiver.url, b"2")

    assert sent.status is None
    assert [request[-1:] for request in receiver.requests] == [b"1", b"2"]
    assert receiver.connections == 1


async def test_a_request_is_not_sent_again_on_a_new_connection(sender: HttpSender) -> None:
    async with receiving(closing_with(b"")) as receiver:
        sent = await sender.post(receiver.url, b"{}")

    assert sent.error == (
        "invalid HTTP response: the server disconnected without a complete response"
    )
    assert len(receiver.requests) == 1


async def test_a_request_that_got_part_of_a_response_is_not_sent_again(sender: HttpSender) -> None:
    async with receiving(in_turn(answering(OK), closing_with(b"HTTP/1.1 2"))) as receiver:
        await sender.post(receiver.url, b"1")
        sent = await sender.post(receiver.url, b"2")

    assert sent.status is None
    assert len(receiver.requests) == 2


async def test_a_connection_with_data_that_nobody_asked_for_is_closed(sender: HttpSender) -> None:
    is_idle = asyncio.Event()
    has_gone_on = asyncio.Event()

    async def answer_and_go_on(writer: asyncio.StreamWriter) -> None:
        await answering(OK)(writer)
        await is_idle.wait()
        await answering(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")(writer)
        has_gone_on.set()

    async with receiving(answer_and_go_on) as receiver, asyncio.timeout(PATIENCE_S):
        await sender.post(receiver.url, b"1")
        is_idle.set()
        await has_gone_on.wait()
        await settled()
        sent = await sender.post(receiver.url, b"2")

    assert (sent.status, len(receiver.requests), receiver.connections) == (200, 2, 2)


async def test_an_idle_connection_is_closed_after_a_second(sender: HttpSender) -> None:
    async with receiving(answering(OK)) as receiver, asyncio.timeout(PATIENCE_S):
        await sender.post(receiver.url, b"{}")
        pass_time(LONGER_THAN_CONNECTIONS_ARE_KEPT_S)
        await receiver.lost.wait()

    assert sender._client._idle == {}


async def test_the_number_of_idle_connections_is_bounded(
    sender: HttpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    now_s = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now_s)  # No connection expires.
    async with receiving(answering(OK)) as receiver:
        for number in range(520):
            await sender.post(f"http://r{number}.localhost:{receiver.port}/", b"{}")

        assert sum(map(len, sender._client._idle.values())) == 512
        await sender.aclose()


async def test_a_slow_request_ends_when_the_response_is_there(sender: HttpSender) -> None:
    received = bytearray()

    async def answer_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        with closing(writer), suppress(ConnectionError):
            while part := await reader.read(100):
                received.extend(part)

    async with listening(answer_early) as port, asyncio.timeout(PATIENCE_S):
        sent = await sender.post(f"http://127.0.0.1:{port}/", b"x" * 1000, is_slow=True)

        assert sender._client._idle == {}  # The rest of the request was not sent.

    assert sent.status == 413
    assert received.count(b"x") < 1000
