"""Pieces of a connection's data: the same requests, however the network cuts them."""

from itertools import pairwise

import httptools

from mock_server.http_framing import RequestFraming
from tests.fuzz.generators import filled
from tests.fuzz.target import Target

_CUTS = 6  # The first bytes of an input say where the rest is cut.


class _Server:
    """Parses pieces as the server does until one is invalid, and notes the requests."""

    def __init__(self) -> None:
        self.framing = RequestFraming()
        self.requests: list[tuple[list[tuple[bytes, bytes]], bytes, int]] = []
        self.pieces_of_two = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._head_bytes = 0
        self._events = 0
        self._parser = httptools.HttpRequestParser(self)

    def receive(self, data: bytes) -> None:
        start = 0
        while start < len(data):
            self._events = 0
            end = self.framing.end_of_piece(data, start)
            assert start < end <= len(data), "a piece is empty"
            if self.framing.excess is not None:  # The server responds instead.
                raise httptools.HttpParserError
            self._parser.feed_data(data[start:end])
            self.pieces_of_two += self._events > 1
            start = end

    def on_message_begin(self) -> None:
        self._events += 1
        self._headers, self._body = [], []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._head_bytes = self.framing.head_bytes
        self.framing.begin_body(self._headers)

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        self.requests.append((self._headers, b"".join(self._body), self._head_bytes))
        self.framing.begin_head()


def _served(segments: list[bytes]) -> _Server:
    server = _Server()
    try:
        for segment in segments:
            server.receive(segment)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        pass
    return server


def _handle(raw: bytes) -> None:
    _served([raw])


def _check(raw: bytes) -> None:
    cuts, data = raw[:_CUTS], raw[_CUTS:]
    places = sorted({min(place * 2, len(data)) for place in cuts} | {0, len(data)})
    whole = _served([data])
    assert whole.pieces_of_two == 0
    for segments in (
        [data[start:end] for start, end in pairwise(places)],
        [data[at : at + 1] for at in range(len(data))],
    ):
        in_parts = _served(segments)
        assert in_parts.pieces_of_two == 0
        assert in_parts.framing.excess == whole.framing.excess
        assert [each[:2] for each in in_parts.requests] == [each[:2] for each in whole.requests]
        # The head of a request of HTTP/0.9 may end with "\n\r\n"; then its piece is longer.
        assert all(
            part[2] <= other[2]
            for part, other in zip(in_parts.requests, whole.requests, strict=True)
        )


_CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_POST = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n"

TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=lambda: [
        b"\1\2\3\4\5\6" + _POST + b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x08\x10\x18\x20\x28\x30"
        + _CHUNKED
        + b"3\r\nabc\r\n0;a=b\r\nX: y\r\n\r\n"
        + _POST
        + b"{}\r\n",
        b"\0\0\0\0\0\0\r\nGET / HTTP/1.1\n\nGET / HTTP/1.1\r\n\r\n",
        b"\1\2\3\4\5\6GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    ],
    words=(
        b"\r\n\r\n",
        b"\n\n",
        b"HTTP/1.1\r\n",
        b"Content-Length: 4\r\n",
        b"0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"GET / ",
        b"POST / ",
        b"\r\n",
    ),
    worst={
        "requests": filled(b"", b"GET / HTTP/1.1\r\n\r\n"),
        "chunks": filled(_CHUNKED, b"1\r\na\r\n"),
        "chunks that are blank lines": filled(_CHUNKED, b"4\r\n\r\n\r\n\r\n"),
        "trailers": filled(_CHUNKED + b"0\r\n", b"a: b\r\n"),
        "blank lines": filled(b"", b"\r\n"),
        "a head": filled(b"GET / HTTP/1.1\r\n", b"a: b\r\n"),
        "a body": filled(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"\r\n\r\n"),
    },
)
