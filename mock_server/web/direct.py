"""The direct path: answer plain requests of the provider's endpoints without ASGI.

A request is plain if it is complete, well-formed without doubt, and can be answered at once. All
others take the ordinary way through the ASGI server, with the same responses.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import httptools
import msgspec

from mock_server.domain.journal import Header
from mock_server.domain.ports import RealClock
from mock_server.web.api_keys import ApiKeys
from mock_server.web.pipeline import Endpoint
from mock_server.web.request import HeaderBlock, LocalAddress, ProviderRequest, Target
from mock_server.web.request_log import is_logging
from mock_server.web.responder import Responder

log = logging.getLogger("mock_server")

_MAX_HEAD_BYTES = 64 * 1024
_MAX_AWAITED_BYTES = 16 * 1024  # A longer request is left to the parser.
_MAX_KEPT = 1000
_VERSION = b" HTTP/1.1"
_BLANK_LINE = b"\r\n\r\n"
_BLANK_LINE_BYTES = len(_BLANK_LINE)
_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 21\r\nconnection: close\r\n\r\nInternal Server Error"
)


class PlainHeaders(msgspec.Struct, frozen=True):
    """The headers of a plain request, and the length of the body that they announce."""

    block: HeaderBlock
    body_bytes: int | None  # None if they announce no body.


class PlainHead(msgspec.Struct, frozen=True):
    """The head of a plain request: its endpoint and all that precedes its body."""

    endpoint: Endpoint
    target: Target
    query: bytes
    block: HeaderBlock
    body_bytes: int


class Served(NamedTuple):
    """The responses to plain requests at the start of some data."""

    responses: list[bytes]
    end: int  # Where the first request without a response starts.
    lacks_body: bool = False  # That request is plain so far; the rest of its body is missing.


class RequestFailed(Exception):
    """A request could not be answered; the connection must be closed after these responses."""

    def __init__(self, responses: Sequence[bytes]) -> None:
        super().__init__("a request could not be answered")
        self.responses = responses


class DirectPath:
    """Answers plain requests from the bytes of a connection.

    The coroutines of an endpoint run to their end in one step, because the store never waits and
    `Endpoint.answers_at_once` excludes whatever else could.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        api_keys: ApiKeys,
        responder: Responder,
        clock: RealClock,
    ) -> None:
        self._api_keys = api_keys
        self._responder = responder
        self._now_ns = clock.now_ns
        # Clients repeat heads when they poll, and headers with each request.
        self._heads: dict[bytes, PlainHead] = {}
        self._headers: dict[bytes, PlainHeaders | None] = {}
        self._routes = {
            f"{method} {path}".encode(): (endpoint, Target(method, path, path.encode()))
            for path, endpoint in endpoints.items()
            for method in endpoint.methods
        }

    def serve(self, data: bytes, limit: int, address: LocalAddress) -> Served:
        """Answer at most `limit` plain requests, one after the other, from the start of the data.

        Raises RequestFailed.
        """
        responses: list[bytes] = []
        start = 0
        if is_logging():
            return Served(responses, start)
        size = len(data)
        while start < size and len(responses) < limit:
            head_end = data.find(_BLANK_LINE, start)
            if head_end < 0:
                break
            raw = data[start:head_end]
            head = self._heads.get(raw) or self._parse(raw)
            if head is None:
                break
            body_start = head_end + _BLANK_LINE_BYTES
            end = body_start + head.body_bytes
            if end > size:
                return Served(responses, start, lacks_body=end - start <= _MAX_AWAITED_BYTES)
            try:
                self._response(head, data[body_start:end], address).send(None)
            except StopIteration as finished:
                if finished.value is None:
                    break
                responses.append(finished.value)
                start = end
            except Exception as error:
                log.exception("a request could not be answered")
                raise RequestFailed([*responses, _FAILED]) from error
            else:
                raise AssertionError("the endpoint waits, so the request was not plain")
        return Served(responses, start)

    def _parse(self, raw: bytes) -> PlainHead | None:
        """Return a head, given without its blank line, or None if it is not plain."""
        if len(raw) > _MAX_HEAD_BYTES - _BLANK_LINE_BYTES:
            return None
        line, _, lines = raw.partition(b"\r\n")
        named, _, query = line.removesuffix(_VERSION).partition(b"?")
        route = self._routes.get(named)
        if route is None or not line.endswith(_VERSION):
            return None
        headers = self._parse_headers(lines)
        if headers is None:
            return None
        endpoint, target = route
        if headers.body_bytes is not None and not endpoint.reads_body:
            return None
        head = PlainHead(endpoint, target, query, headers.block, headers.body_bytes or 0)
        if len(self._heads) >= _MAX_KEPT:
            self._heads.clear()
        self._heads[raw] = head
        return head

    def _parse_headers(self, lines: bytes) -> PlainHeaders | None:
        try:
            return self._headers[lines]
        except KeyError:
            if len(self._headers) >= _MAX_KEPT:
                self._headers.clear()
            headers = self._headers[lines] = parse_plain_headers(lines)
            return headers

    async def _response(
        self, received: PlainHead, body: bytes, address: LocalAddress
    ) -> bytes | None:
        """Return the response to a request, or None if it must take the ordinary way."""
        began_ns = self._now_ns()
        real_ms = began_ns // 1_000_000
        endpoint, block = received.endpoint, received.block
        sandbox = await self._api_keys.sandbox(block.by_name.get(b"authorization"), real_ms)
        if sandbox is None:
            return None
        request = ProviderRequest(
            received.target, received.query, block, address, sandbox, began_ns, real_ms, body
        )
        if not endpoint.answers_at_once(request):
            return None
        if sandbox.has_rules and sandbox.may_match(endpoint.rule_input(request), real_ms):
            return None
        answer = await endpoint.handle(request)
        head = await self._responder.record(request, endpoint.operation, answer)
        if answer.owes_callback:  # Nothing can send it before the connection has the response.
            await endpoint.deliver(request, answer.task_id)
        return head.encoded + answer.body


def parse_plain_headers(lines: bytes) -> PlainHeaders | None:
    """Return the parsed headers of a request, or None if they are not plain.

    The parser is the one of the ordinary way, so both ways understand the same.
    """
    if len(lines.splitlines()) != lines.count(b"\r\n") + 1:
        return None  # Some line does not end with CR LF.
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
    return PlainHeaders(block, None if length is None else int(length))


class _Reader:
    """Collects what the parser calls back."""

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
