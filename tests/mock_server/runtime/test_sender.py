"""The sender returns the result of every attempt, and a slow receiver delays no other."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.runtime.egress import Egress
from mock_server.runtime.sender import HttpSender
from mock_server.version import __version__
from tests.mock_server.runtime.listening import (
    Write,
    endless,
    listening,
    pass_time,
    settled,
    silent,
    until,
)
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

LIMIT_S = 30  # of an attempt, by default

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Receiver:
    """A raw HTTP receiver; `reply` writes the response to each request."""

    def __init__(self, reply: Write) -> None:
        self.reply = reply
        self.port = 0
        self.requests: list[bytes] = []
        self.connections = 0
        self.lost = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                self.requests.append(head + await reader.readexactly(length))
                await self.reply(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.lost.set()
        finally:
            writer.close()

    async def until_connected(self, times: int) -> None:
        await until(lambda: self.connections >= times)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


def answering(answer: bytes) -> Write:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return reply


async def resetting(writer: asyncio.StreamWriter) -> None:
    peer: socket.socket = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def receiving(reply: Write) -> AsyncIterator[Receiver]:
    receiver = Receiver(reply)
    async with listening(receiver.serve) as receiver.port:
        yield receiver


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    sender = HttpSender(Egress.PRIVATE)
    yield sender
    await sender.aclose()


@asynccontextmanager
async def narrow(
    max_per_receiver: int = 32, max_in_flight: int = 1000
) -> AsyncIterator[HttpSender]:
    sender = HttpSender(
        Egress.PRIVATE, max_per_receiver=max_per_receiver, max_in_flight=max_in_flight
    )
    yield sender
    await sender.aclose()


async def test_the_body_arrives_unchanged_with_content_type_and_user_agent(
    sender: HttpSender,
) -> None:
    async with receiving(answering(OK)) as receiver:
        sent = await sender.post(receiver.url, b'{"a": 1}')

    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert (sent.status, sent.error, body) == (200, None, b'{"a": 1}')
    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert f"\r\nUser-Agent: apixo-testkit-mock/{__version__}\r\n".encode() in head


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nOops",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
    ids=["500", "204", "redirect", "broken redirect", "HTTP 1.0"],
)
async def test_every_status_is_a_result(sender: HttpSender, answer: bytes) -> None:
    async def once(writer: asyncio.StreamWriter) -> None:
        await answering(answer)(writer)
        writer.close()

    async with receiving(once) as receiver:
        sent = await sender.post(receiver.url, b"{}")

    assert sent.status == int(answer[9:12])
    assert sent.error is None
    assert len(receiver.requests) == 1


async def test_a_connection_is_reused_for_the_next_attempt(sender: HttpSender) -> None:
    async with receiving(answering(OK)) as receiver:
        for _ in range(3):
            await sender.post(receiver.url, b"{}")

    assert (receiver.connections, len(receiver.requests)) == (1, 3)


async def test_an_endless_body_closes_the_connection(sender: HttpSender) -> None:
    async with receiving(endless) as receiver, asyncio.timeout(PATIENCE_S):
        sent = await sender.post(receiver.url, b"{}")
        await receiver.lost.wait()

    assert (sent.status, sent.error) == (200, None)


@pytest.mark.parametrize("reply", [silent, resetting], ids=["hangs", "breaks"])
async def test_a_status_counts_even_if_its_body_is_incomplete(
    sender: HttpSender, reply: Write
) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        await answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")(writer)
        await reply(writer)

    async with receiving(half) as receiver:
        posting = asyncio.create_task(sender.post(receiver.url, b"{}"))
        await until(lambda: receiver.requests != [])
        await settled()
        pass_time(LIMIT_S)
        sent = await posting

    assert (sent.status, sent.error) in {
        (200, None),
        (None, "connection reset by peer"),  # the reset may overtake the status
    }


async def test_cookies_are_not_kept(sender: HttpSender) -> None:
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
    async with receiving(answering(cookie)) as receiver:
        await sender.post(receiver.url, b"{}")
        await sender.post(receiver.url, b"{}")

    assert b"cookie" not in receiver.requests[1].lower()


async def test_a_user_in_the_address_becomes_credentials(sender: HttpSender) -> None:
    async with receiving(answering(OK)) as receiver:
        await sender.post(receiver.url.replace("//", "//user:pass@"), b"{}")

    assert b"\r\nAuthorization: Basic dXNlcjpwYXNz\r\n" in receiver.requests[0]


async def test_a_closed_port_is_reported_as_connection_refused(sender: HttpSender) -> None:
    async with receiving(silent) as receiver:
        pass

    sent = await sender.post(receiver.url, b"{}")

    assert (sent.status, sent.error, sent.is_blocked) == (None, "connection refused", False)


async def test_a_reset_connection_is_reported(sender: HttpSender) -> None:
    async with receiving(resetting) as receiver:
        sent = await sender.post(receiver.url, b"{}")

    assert (sent.status, sent.error) == (None, "connection reset by peer")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"", "Server disconnected"), (b"SSH-2.0-OpenSSH\r\n\r\n", "illegal status line")],
    ids=["nothing", "another protocol"],
)
async def test_a_response_that_is_not_http_is_reported(
    sender: HttpSender, answer: bytes, reason: str
) -> None:
    async def once(writer: asyncio.StreamWriter) -> None:
        await answering(answer)(writer)
        writer.close()

    async with receiving(once) as receiver:
        sent = await sender.post(receiver.url, b"{}")

    assert sent.status is None
    assert (sent.error or "").startswith(f"invalid HTTP response: {reason}")


async def test_an_attempt_without_a_response_ends_at_the_timeout(sender: HttpSender) -> None:
    async with receiving(silent) as receiver:
        posting = asyncio.create_task(sender.post(receiver.url, b"{}"))
        await until(lambda: receiver.requests != [])
        pass_time(LIMIT_S)
        sent = await posting

    assert (sent.status, sent.error, sent.is_blocked) == (None, "no response within 30 s", False)
    assert sent.duration_ms >= LIMIT_S * 1000


async def test_an_unanswered_tls_handshake_ends_at_the_timeout_and_closes_the_connection(
    sender: HttpSender,
) -> None:
    async with receiving(silent) as receiver, asyncio.timeout(LIMIT_S + PATIENCE_S):
        url = receiver.url.replace("http", "https")
        posting = asyncio.create_task(sender.post(url, b"{}"))
        await receiver.until_connected(1)
        pass_time(LIMIT_S)
        sent = await posting
        await receiver.lost.wait()

    assert (sent.status, sent.error) == (None, "no response within 30 s")


async def test_a_forbidden_address_is_blocked_by_a_named_rule(sender: HttpSender) -> None:
    sent = await sender.post("http://169.254.169.254/latest/meta-data", b"{}")

    assert sent.is_blocked
    assert sent.error == 'blocked by egress policy "private": 169.254.169.254 is link-local'


async def test_a_name_with_a_forbidden_address_is_blocked() -> None:
    async def resolve(host: str) -> Sequence[str]:
        return ["10.0.0.1"]

    sender = HttpSender(Egress.LOOPBACK, resolve=resolve)
    sent = await sender.post("http://intranet.test/", b"{}")

    assert sent.is_blocked
    assert "10.0.0.1 is not loopback (the address of intranet.test)" in (sent.error or "")


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


async def test_lanes_without_attempts_are_forgotten(sender: HttpSender) -> None:
    async with receiving(answering(OK)) as receiver:
        hosts = ["127.0.0.1", "localhost", "127.0.0.2"]
        await asyncio.gather(
            *[sender.post(f"http://{host}:{receiver.port}/", b"{}") for host in hosts]
        )

    assert sender._lanes._lanes == {}


@pytest.fixture(scope="module")
def post() -> Iterator[Callable[[str], object]]:
    """Post with a sender whose host names all resolve to a forbidden address."""

    async def resolve(host: str) -> Sequence[str]:
        return ["169.254.169.254"]

    async def open_sender() -> HttpSender:
        return HttpSender(Egress.LOOPBACK, resolve=resolve)

    with asyncio.Runner() as runner:
        sender = runner.run(open_sender())
        yield lambda url: runner.run(sender.post(url, b"{}"))
        runner.run(sender.aclose())


HOSTS = st.text() | st.ip_addresses(v=6).map("[{}]".format)
URLS = st.text() | st.builds("{}://{}:{}/{}".format, st.just("http"), HOSTS, st.text(), st.text())


@given(url=URLS)
def test_any_text_as_an_address_gives_a_short_reason(
    post: Callable[[str], object], url: str
) -> None:
    error = getattr(post(url), "error", None)

    assert isinstance(error, str)
    assert 0 < len(error) <= 400
