"""The kit's receiver reads every body that HTTP/1.1 allows, and no endless one."""

import http.client
import io
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from email.message import Message
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.server.http_body import InvalidBodyError, read_body
from contract_tests.server.receiver import Receiver, _Server
from tests.patience import PATIENCE_S

MOST = 1000


def headers_of(**given: str) -> Message:
    headers = Message()
    for name, value in given.items():
        headers[name.replace("_", "-")] = value
    return headers


def chunked(parts: list[bytes], end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


CHUNKED = headers_of(Transfer_Encoding="chunked")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=10))
def test_a_chunked_body_is_read_like_a_whole_one(parts: list[bytes]) -> None:
    body = b"".join(parts)
    stream, after = io.BytesIO(chunked(parts) + b"GET / "), b"GET / "
    whole = io.BytesIO(body + after)

    assert read_body(stream, CHUNKED, MOST) == body
    assert read_body(whole, headers_of(Content_Length=str(len(body))), MOST) == body
    assert stream.read() == whole.read() == after


def test_extensions_and_trailers_of_a_chunked_body_are_dropped() -> None:
    stream = io.BytesIO(b'2;name="x"\r\n{}\r\n0\r\nExpires: never\r\nX: 1\r\n\r\n')

    assert read_body(stream, CHUNKED, MOST) == b"{}"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(chunked([b"x" * MOST, b"x"]), id="too long"),
        pytest.param(b"ffffffff\r\n", id="a size that is too long"),
        pytest.param(b"5\r\nabc", id="truncated in a chunk"),
        pytest.param(b"3\r\nabc\r\n", id="truncated after a chunk"),
        pytest.param(b"2\r\nabc\r\n0\r\n\r\n", id="a chunk longer than its size"),
        pytest.param(b"-1\r\n\r\n", id="a negative size"),
        pytest.param(b"\r\n", id="no size"),
        pytest.param(b"0\r\n" + b"X: 1\r\n" * 10_000 + b"\r\n", id="endless trailers"),
        pytest.param(b"0" * 100_000, id="an endless line"),
    ],
)
def test_a_malformed_or_endless_chunked_body_is_rejected(body: bytes) -> None:
    with pytest.raises(InvalidBodyError):
        read_body(io.BytesIO(body), CHUNKED, MOST)


@pytest.mark.parametrize(
    "headers",
    [
        headers_of(Content_Length="4"),
        headers_of(Content_Length="-1"),
        headers_of(Content_Length="three"),
        headers_of(Content_Length=str(MOST + 1)),
        headers_of(Transfer_Encoding="gzip, chunked"),
    ],
    ids=str,
)
def test_a_body_of_another_length_is_rejected(headers: Message) -> None:
    with pytest.raises(InvalidBodyError):
        read_body(io.BytesIO(b"abc"), headers, MOST)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_a_chunked_callback_arrives_whole(receiver: Receiver) -> None:
    parts = urlsplit(receiver.url("S-CB-901/chunked"))
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)
    for _ in range(2):  # The second one shows that nothing of the first was left over.
        connection.request(
            "POST", parts.path, body=iter([b'{"code"', b": 200}"]), encode_chunked=True,
            headers={"Transfer-Encoding": "chunked"},
        )  # fmt: skip
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()

    received = receiver.deliveries("S-CB-901/chunked", 2, PATIENCE_S)
    assert [delivery.body for delivery in received] == [b'{"code": 200}'] * 2


def test_connections_wait_until_a_busy_receiver_accepts_them() -> None:
    with Receiver() as receiver, ExitStack() as opened:
        server = opened.enter_context(_Server(("127.0.0.1", 0), receiver))  # It accepts nothing.
        for _ in range(300):
            opened.enter_context(
                socket.create_connection(("127.0.0.1", server.server_port), PATIENCE_S)
            )
