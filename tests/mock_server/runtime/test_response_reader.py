"""The reader of responses accepts valid responses in any pieces, and limits all their parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.runtime.response_reader import InvalidResponse, ResponseReader

MAX_BODY_BYTES = 1000
RESPONSES = {
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok": (200, b"ok", True),
    b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nA: b\r\n\r\n": (
        200,
        b"ok",
        True,
    ),
    b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\nHTTP/1.1 204 N\r\n\r\n": (
        204,
        b"",
        True,
    ),
    b"HTTP/1.1 204 No\r\n\r\n": (204, b"", True),
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok": (200, b"ok", True),
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok": (200, b"ok", False),
    b"HTTP/1.0 404 Not Found\r\n\r\nok": (404, b"ok", False),
    b"HTTP/1.1 101 Switch\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\nab": (101, b"", False),
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more": (200, b"ok", False),
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\n\r\n": (200, b"", False),
}


def read(*parts: bytes) -> ResponseReader:
    reader = ResponseReader(MAX_BODY_BYTES)
    for part in parts:
        reader.feed(part)
    return reader


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    starts = [0, *ends[:-1]]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("data", sorted(RESPONSES))
@given(cuts=st.lists(st.integers(1, 120), max_size=20))
def test_a_response_is_the_same_in_any_pieces(data: bytes, cuts: list[int]) -> None:
    reader = read(*pieces(data, cuts))
    reader.end()

    assert (reader.status, bytes(reader.body), reader.may_continue) == RESPONSES[data]


def test_headers_are_those_of_the_final_response() -> None:
    reader = read(
        b"HTTP/1.1 103 Early\r\nLocation: /early\r\n\r\n"
        b"HTTP/1.1 302 Found\r\nlocation: /caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\nETag: trailer\r\n\r\n"
    )

    assert reader.header(b"location") == "/caf\xe9"
    assert reader.header(b"etag") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
    ],
)
def test_a_response_that_ends_too_early_is_invalid(data: bytes) -> None:
    with pytest.raises(InvalidResponse, match="the server disconnected"):
        read(data).end()


@pytest.mark.parametrize("piece", [b"HTTP/1.1 102 Wait\r\n\r\n" * 1000, b"HTTP/1.1 102 W\r\n\r\n"])
def test_interim_responses_without_end_are_invalid(piece: bytes) -> None:
    with pytest.raises(InvalidResponse, match="no status after 64 KiB"):
        read(*[piece] * 10_000)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: "])
def test_a_head_without_end_is_invalid(start: bytes) -> None:
    with pytest.raises(InvalidResponse):
        read(start, *(b"X-%d: y\r\n" % number for number in range(10_000)))


@pytest.mark.parametrize(
    "body",
    [b"x" * 100, b"64\r\n" + b"x" * 100 + b"\r\n", b"1;%s\r\nx\r\n" % (b"e" * 100)],
    ids=["plain", "chunks", "chunk extensions"],
)
def test_a_body_without_end_is_too_large(body: bytes) -> None:
    framing = b"" if body.startswith(b"x") else b"Transfer-Encoding: chunked\r\n"
    reader = read(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
    fed = 0
    while not reader.is_too_large:
        reader.feed(body)
        fed += len(body)

    assert fed < 100_000
    assert len(reader.body) <= MAX_BODY_BYTES + len(body)


@given(parts=st.lists(st.binary(max_size=50) | st.sampled_from(sorted(RESPONSES)), max_size=6))
def test_any_bytes_are_a_response_or_invalid(parts: list[bytes]) -> None:
    try:
        reader = read(*parts)
        reader.end()
    except InvalidResponse as error:
        assert 0 < len(str(error)) < 200  # noqa: PT017  # most bytes are invalid, some are not
    else:
        assert reader.status is not None
