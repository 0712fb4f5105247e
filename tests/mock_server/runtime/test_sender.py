"""The sender returns the result of every attempt, whatever the receiver does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.runtime.egress import Egress
from mock_server.runtime.host_lookup import HostLookup
from mock_server.runtime.sender import HttpSender
from mock_server.version import __version__
from tests.mock_server.runtime.listening import (
    Write,
    endless,
    pass_time,
    settled,
    silent,
    until,
)
from tests.mock_server.runtime.receivers import (
    LIMIT_S,
    OK,
    answering,
    receiving,
    resetting,
)
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    sender = HttpSender(Egress.PRIVATE)
    yield sender
    await sender.aclose()


async def test_a_callback_has_the_headers_of_the_provider_and_no_others(
    sender: HttpSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async with receiving(answering(OK)) as receiver:
        sent = await sender.post(receiver.url, b'{"a": 1}')

    assert (sent.status, sent.error) == (200, None)
    assert receiver.requests == [
        b"POST /hook HTTP/1.1\r\n"
        b"Host: 127.0.0.1:%d\r\n"
        b"User-Agent: apixo-testkit-mock/%s\r\n"
        b"Accept: */*\r\n"
        b"Content-Type: application/json\r\n"
        b"Content-Length: 8\r\n"
        b"\r\n"
        b'{"a": 1}' % (receiver.port, __version__.encode())
    ]


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
    [
        (b"", "the server disconnected without a complete response"),
        (b"HTTP/1.1 200 OK\r\n", "the server disconnected without a complete response"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "expected http/"),
    ],
    ids=["nothing", "half a head", "another protocol"],
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


async def test_an_attempt_without_a_response_ends_at_the_timeout_and_closes_the_connection(
    sender: HttpSender,
) -> None:
    async def silently(_: asyncio.StreamWriter) -> None:
        """Wait for the next request, which does not come."""

    async with receiving(silently) as receiver:
        posting = asyncio.create_task(sender.post(receiver.url, b"{}"))
        await until(lambda: receiver.requests != [])
        pass_time(LIMIT_S)
        sent = await posting
        await receiver.lost.wait()

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

    sender = HttpSender(Egress.LOOPBACK, hosts=HostLookup(resolve))
    sent = await sender.post("http://intranet.test/", b"{}")

    assert sent.is_blocked
    assert "10.0.0.1 is not loopback (the address of intranet.test)" in (sent.error or "")


@pytest.fixture(scope="module")
def post() -> Iterator[Callable[[str], object]]:
    """Post with a sender whose host names all resolve to a forbidden address."""

    async def resolve(host: str) -> Sequence[str]:
        return ["169.254.169.254"]

    async def open_sender() -> HttpSender:
        return HttpSender(Egress.LOOPBACK, hosts=HostLookup(resolve))

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
