"""Parse the heads of plain requests, which the direct path can answer."""

from collections.abc import Mapping
from typing import TypeVar

import httptools
import msgspec

from mock_server.domain.headers import Header
from mock_server.web.content_length import content_length
from mock_server.web.pipeline import Endpoint
from mock_server.web.request import HeaderBlock, Target

BLANK_LINE = b"\r\n\r\n"
BLANK_LINE_BYTES = len(BLANK_LINE)

# The ordinary way checks the limits of longer heads. A request line of this length is allowed.
MAX_HEAD_BYTES = 16 * 1024  # Without the blank line.
_MAX_LINES = 1000
_MAX_KEPT = 1000
_MAX_KEPT_BYTES = 4096
_MAX_KEPT_LINES = 100  # A parsed header takes more than 100 bytes, however short it is.
_VERSION = b" HTTP/1.1"
_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"origin"})
T = TypeVar("T")


class PlainHead(msgspec.Struct, frozen=True):
    """The head of a plain request without its query: its endpoint and its headers."""

    endpoint: Endpoint
    target: Target
    block: HeaderBlock
    body_bytes: int


class PlainHeaders(msgspec.Struct, frozen=True):
    """The headers of a plain request, and the length of the body that they announce."""

    block: HeaderBlock
    body_bytes: int | None  # None if they announce no body.


class PlainHeads:
    """Parses heads and keeps the results, with a bound.

    Requests of one client differ in their query, and in the length of their body, but seldom in
    anything else of their heads. `endpoints` are found by path.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._heads: dict[bytes, PlainHead] = {}
        self._headers: dict[bytes, PlainHeaders | None] = {}
        self._routes = {
            f"{method} {path}".encode(): (endpoint, Target(method, path, path.encode()))
            for path, endpoint in endpoints.items()
            for method in endpoint.methods
        }

    def parse(self, raw: bytes) -> tuple[PlainHead | None, bytes]:
        """Return a head, given without its blank line, and its query.

        The head is None if it is not plain.
        """
        kept, query = raw, b""
        mark = raw.find(b"?")
        if mark >= 0:
            version = raw.find(b"\r\n") - len(_VERSION)
            if mark < version:
                kept, query = raw[:mark] + raw[version:], raw[mark + 1 : version]
        if len(raw) > MAX_HEAD_BYTES:
            return None, query
        return self._heads.get(kept) or self._parse(kept), query

    def _parse(self, raw: bytes) -> PlainHead | None:
        line, _, lines = raw.partition(b"\r\n")
        named = line.removesuffix(_VERSION)
        route = self._routes.get(named)
        if route is None or not line.endswith(_VERSION):
            return None
        headers = self._parse_headers(lines)
        if headers is None:
            return None
        endpoint, target = route
        if headers.body_bytes is not None and not endpoint.reads_body:
            return None
        head = PlainHead(endpoint, target, headers.block, headers.body_bytes or 0)
        _keep(self._heads, raw, head)
        return head

    def _parse_headers(self, lines: bytes) -> PlainHeaders | None:
        try:
            return self._headers[lines]
        except KeyError:
            headers = parse_plain_headers(lines)
            _keep(self._headers, lines, headers)
            return headers


def parse_plain_headers(lines: bytes) -> PlainHeaders | None:
    """Return the parsed headers of a request, or None if they are not plain.

    The parser is the one of the ordinary way, so both ways read a request alike.
    """
    number = lines.count(b"\r\n") + 1
    if number > _MAX_LINES or len(lines.splitlines()) != number:
        return None  # There are too many, or one does not end with CR LF.
    reader = _Reader()
    try:
        reader.read(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % lines)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    names = [name for name, _ in reader.headers]
    if not reader.keeps_alive or len({*names}) != len(names) or not _UNUSUAL.isdisjoint(names):
        return None
    block = HeaderBlock.of(reader.headers)
    length = block.by_name.get(b"content-length")
    return PlainHeaders(block, None if length is None else content_length(length))


def _keep(parsed: dict[bytes, T], raw: bytes, value: T) -> None:
    """Keep what was parsed, within bounds of number and size."""
    if len(raw) > _MAX_KEPT_BYTES or raw.count(b"\r\n") > _MAX_KEPT_LINES:
        return
    if len(parsed) >= _MAX_KEPT:
        parsed.clear()
    parsed[raw] = value


class _Reader:
    """Collects the headers that the parser reports."""

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self.keeps_alive = False  # Whether the head is complete and leaves the connection open.

    def read(self, head: bytes) -> None:
        self._parser = httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(head)
        finally:
            del self._parser  # It refers to the reader.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.keeps_alive = self._parser.should_keep_alive()
