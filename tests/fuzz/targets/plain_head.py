"""Heads of the direct path: a head that counts as plain is read as the parser of HTTP reads it."""

import httptools

from mock_server.web.plain_head import parse_plain_headers
from tests.fuzz.generators import filled, numbered
from tests.fuzz.target import Target

_LINE = b"POST / HTTP/1.1\r\n"


class _Parser:
    """Reads a request with the parser of the ordinary way, in one piece or byte by byte."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.heads = 0
        self.messages = 0
        self.keeps_alive = False
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.heads += 1
        self.keeps_alive = self._parser.should_keep_alive()

    def on_message_complete(self) -> None:
        self.messages += 1


def _check(raw: bytes) -> None:
    head = _LINE + raw + b"\r\n\r\n"
    plain = parse_plain_headers(raw)
    if plain is None or head.find(b"\r\n\r\n") < len(_LINE + raw):
        return  # The direct path cuts a head at its first blank line.
    parser = _Parser()
    for byte in head:
        assert parser.heads == 0, "the head ends before its end"
        parser.feed(bytes([byte]))
    assert parser.heads == 1
    assert parser.keeps_alive
    assert list(plain.block.pairs) == parser.headers
    length = plain.body_bytes or 0
    assert length >= 0
    if length <= 1_000:
        if length:
            assert parser.messages == 0
            parser.feed(b"x" * length)
        assert parser.messages == 1, "the body has another length than it seems"


TARGET = Target(
    check=_check,
    handle=parse_plain_headers,
    seeds=lambda: [
        b"Host: mock.test\r\nAuthorization: Bearer sk-1",
        b"Host: mock.test\r\nContent-Type: application/json\r\nContent-Length: 28",
        b"Transfer-Encoding: chunked",
        b"Connection: close\r\nExpect: 100-continue",
        b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c",
        b"A: b\n c: d",
        b"",
    ],
    words=(
        b"\r\n",
        b"Content-Length: ",
        b"Transfer-Encoding: ",
        b"Connection: ",
        b"Upgrade: ",
        b"chunked",
        b"close",
        b"keep-alive",
        b": ",
        b"\0",
        b"\x0b",
        b"\x85",
    ),
    worst={
        "a long header": filled(b"A: ", b"b"),
        "headers": numbered(b"Host: a", b"\r\nX-%d: %d", b""),
        "one header again and again": filled(b"A: b", b"\r\nA: b"),
        "empty lines": filled(b"A: b", b"\r\n"),
        "line feeds": filled(b"A: b", b"\n"),
        "a long name": filled(b"", b"a", b": b"),
        "a long length": filled(b"Content-Length: ", b"1"),
        "codings": filled(b"Connection: ", b"a,"),
    },
)
