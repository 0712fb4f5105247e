"""The direct path: answer plain requests of the provider's endpoints without ASGI.

A request is plain if it is complete, well-formed without doubt, and can be answered at once. All
others take the ordinary way through the ASGI server, with the same responses.
"""

import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

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
_MAX_KEPT = 1000
_VERSION = b" HTTP/1.1"
_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 21\r\nconnection: close\r\n\r\nInternal Server Error"
)

T = TypeVar("T")


class PlainHead(msgspec.Struct, frozen=True):
    """The headers of a plain request, and the length of the body that they announce."""

    block: HeaderBlock
    body_bytes: int | None  # None if they announce no body.


class _Route(msgspec.Struct, frozen=True):
    endpoint: Endpoint
    target: Target


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
        self._heads: dict[bytes, PlainHead | None] = {}  # By their bytes, for clients repeat them.
        self._routes = {
            f"{method} {path}".encode(): _Route(endpoint, Target(method, path, path.encode()))
            for path, endpoint in endpoints.items()
            for method in endpoint.methods
        }

    def serve(self, data: bytes, limit: int, address: LocalAddress) -> tuple[list[bytes], int]:
        """Answer at most `limit` plain requests, one after the other, from the start of the data.

        Return the responses and where the first request without one starts. Raises RequestFailed.
        """
        responses: list[bytes] = []
        start = 0
        if is_logging():
            return responses, start
        while len(responses) < limit:
            head_end = data.find(b"\r\n\r\n", start)
            if not 0 <= head_end - start < _MAX_HEAD_BYTES:
                break
            line_end = data.find(b"\r\n", start)
            line = data[start:line_end]
            named, _, query = line[: -len(_VERSION)].partition(b"?")
            route = self._routes.get(named)
            if route is None or not line.endswith(_VERSION):
                break
            head = self._head(data[line_end + 2 : head_end + 2])
            if head is None or (head.body_bytes is not None and not route.endpoint.reads_body):
                break
            body_start = head_end + 4
            body_end = body_start + (head.body_bytes or 0)
            if len(data) < body_end:
                break
            body = data[body_start:body_end]
            try:
                response = self._response(route, query, head.block, body, address)
            except Exception as error:
                log.exception("a request could not be answered")
                raise RequestFailed([*responses, _FAILED]) from error
            if response is None:
                break
            responses.append(response)
            start = body_end
        return responses, start

    def _head(self, raw: bytes) -> PlainHead | None:
        try:
            return self._heads[raw]
        except KeyError:
            if len(self._heads) >= _MAX_KEPT:
                self._heads.clear()
            head = self._heads[raw] = parse_plain_head(raw)
            return head

    def _response(
        self,
        route: _Route,
        query: bytes,
        block: HeaderBlock,
        body: bytes,
        address: LocalAddress,
    ) -> bytes | None:
        """Return the response to a request, or None if it must take the ordinary way."""
        began_ns = self._now_ns()
        real_ms = began_ns // 1_000_000
        endpoint = route.endpoint
        sandbox = _at_once(self._api_keys.sandbox(block.by_name.get(b"authorization"), real_ms))
        if sandbox is None:
            return None
        request = ProviderRequest(
            route.target, query, block, address, sandbox, began_ns, real_ms, body
        )
        if not endpoint.answers_at_once(request):
            return None
        if sandbox.has_rules and sandbox.may_match(endpoint.rule_input(request), real_ms):
            return None
        return _at_once(self._answered(endpoint, request))

    async def _answered(self, endpoint: Endpoint, request: ProviderRequest) -> bytes:
        answer = await endpoint.handle(request)
        head = await self._responder.record(request, endpoint.operation, answer)
        if answer.owes_callback:  # Nothing can send it before the connection has the response.
            await endpoint.deliver(request, answer.task_id)
        return head.encoded + answer.body


def parse_plain_head(raw: bytes) -> PlainHead | None:
    """Return the parsed headers of a request, or None if they are not plain.

    The parser is the one of the ordinary way, so both ways understand the same.
    """
    if len(raw.splitlines(keepends=True)) != raw.count(b"\r\n"):
        return None  # A line that ends otherwise is the parser's to judge.
    reader = _Reader()
    parser = httptools.HttpRequestParser(reader)
    try:
        parser.feed_data(b"POST / HTTP/1.1\r\n" + raw + b"\r\n")
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    names = [name for name, _ in reader.headers]
    if not reader.is_complete or len({*names}) != len(names) or not _UNUSUAL.isdisjoint(names):
        return None
    block = HeaderBlock.of(reader.headers)
    if block.by_name.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    length = block.by_name.get(b"content-length")
    return PlainHead(block, None if length is None else int(length))


class _Reader:
    """Collects what the parser calls back."""

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.is_complete = True


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    raise AssertionError("the coroutine waits, so its request was not plain")
