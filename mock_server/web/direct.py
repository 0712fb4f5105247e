"""The direct path: answer plain requests of the provider's endpoints without ASGI.

A request is plain if it is complete, unambiguous, and can be answered without waiting for anything
but the store. All others take the ordinary way through the ASGI server, with the same responses.
"""

import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from mock_server.domain.errors import SandboxChanged, SandboxMissing, StoreUnavailable
from mock_server.domain.operation import Operation
from mock_server.domain.ports import RealClock
from mock_server.domain.store import Store
from mock_server.web.answer import Answer
from mock_server.web.api_keys import ApiKeys
from mock_server.web.pipeline import Endpoint, rule_input_of
from mock_server.web.plain_head import BLANK_LINE, BLANK_LINE_BYTES, PlainHead, PlainHeads
from mock_server.web.request import LocalAddress, ProviderRequest
from mock_server.web.request_log import is_enabled_for
from mock_server.web.responder import Responder

log = logging.getLogger("mock_server")

# After so many bytes of requests, other connections are served: a long prompt takes milliseconds.
MAX_BYTES_AT_ONCE = 16 * 1024
_MAX_AWAITED_BYTES = 16 * 1024  # A longer request is left to the parser.
_FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 21\r\nconnection: close\r\n\r\nInternal Server Error"
)


class Served(msgspec.Struct, frozen=True, gc=False):
    """The responses to plain requests at the start of some data.

    If the store can wait, there is no response yet: `answer` appends one to `responses`, unless
    the request must take the ordinary way. It raises RequestFailed.
    """

    responses: list[bytes]
    end: int  # Where the first request starts that is not served.
    answer: Coroutine[Any, Any, None] | None = None
    lacks_body: bool = False  # That request is plain so far; the rest of its body is missing.


class RequestFailed(Exception):
    """A request could not be answered; the connection must be closed after these responses."""

    def __init__(self, responses: Sequence[bytes]) -> None:
        super().__init__("a request could not be answered")
        self.responses = responses


class DirectPath:
    """Answers plain requests from the bytes of a connection.

    `Endpoint.answers_at_once` excludes whatever could wait, except the store. So if the store never
    waits, the coroutines of an endpoint run to their end in one step. Otherwise the caller has to
    run them, for one request at a time.

    If `is_durable`, responses may be sent only after the store has called back `after_persist`.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        api_keys: ApiKeys,
        responder: Responder,
        clock: RealClock,
        store: Store,
    ) -> None:
        self.is_durable = store.is_durable and store.is_immediate
        self.after_persist = store.after_persist
        self._waits = not store.is_immediate
        self._api_keys = api_keys
        self._responder = responder
        self._now_ns = clock.now_ns
        self._parse = PlainHeads(endpoints).parse

    def serve(self, data: bytes, limit: int, address: LocalAddress) -> Served:
        """Answer at most `limit` plain requests, one after the other, from the start of the data.

        A request that starts after `MAX_BYTES_AT_ONCE` is not answered. Raises RequestFailed.
        """
        responses: list[bytes] = []
        start = 0
        if is_enabled_for(logging.INFO):  # The request log needs the ordinary way.
            return Served(responses, start)
        size = len(data)
        last_start = size if size < MAX_BYTES_AT_ONCE else MAX_BYTES_AT_ONCE  # noqa: FURB136  # hot
        while start < last_start and len(responses) < limit:
            head_end = data.find(BLANK_LINE, start)
            if head_end < 0:
                break
            head, query = self._parse(data[start:head_end])
            if head is None:
                break
            body_start = head_end + BLANK_LINE_BYTES
            end = body_start + head.body_bytes
            if end > size:
                return Served(responses, start, lacks_body=end - start <= _MAX_AWAITED_BYTES)
            answer = self._answer(head, query, data[body_start:end], address, responses)
            if self._waits:
                return Served(responses, end, self._answer_or_fail(answer))
            answered = len(responses)
            try:
                # A loop ends without the exception that a coroutine raises after `send(None)`.
                for _ in answer.__await__():
                    raise AssertionError("the endpoint waits, so the request was not plain")
            except Exception as error:
                log.exception("a request could not be answered")
                raise RequestFailed([*responses, _FAILED]) from error
            if len(responses) == answered:
                break
            start = end
        return Served(responses, start)

    def unavailable(self, error: StoreUnavailable) -> bytes:
        """Return the response to a request whose commands the store could not write."""
        return self._unavailable(error, None)

    def _unavailable(self, error: StoreUnavailable, operation: Operation | None) -> bytes:
        answer, head = self._responder.unavailable(error, operation)
        return head.encoded + answer.body

    async def _answer_or_fail(self, answer: Coroutine[Any, Any, None]) -> None:
        try:
            await answer
        except Exception as error:
            log.exception("a request could not be answered")
            raise RequestFailed([_FAILED]) from error

    async def _answer(
        self,
        received: PlainHead,
        query: bytes,
        body: bytes,
        address: LocalAddress,
        responses: list[bytes],
    ) -> None:
        """Append the response to a request, unless the request must take the ordinary way."""
        began_ns = self._now_ns()
        real_ms = began_ns // 1_000_000
        endpoint, block = received.endpoint, received.block
        try:
            sandbox = await self._api_keys.sandbox(
                block.by_name.get(b"authorization"), real_ms, is_checked=self._waits
            )
            if sandbox is None:
                return
            request = ProviderRequest(
                received.target, query, block, address, sandbox, began_ns, real_ms, body
            )
            if self._waits:
                request.known_changes = sandbox.changes
            if not endpoint.answers_at_once(request):
                return
            if sandbox.has_rules and self._may_match(endpoint, request):
                return
            if self._waits:
                response = await endpoint.answer_in_one_step(request)
                if response is not None:
                    responses.append(response)
                    return
            answer = await endpoint.handle(request)
            head = await self._responder.record(request, endpoint.operation, answer)
            if answer.owes_callback or self._waits:
                await self._settle(endpoint, request, answer)
            responses.append(head.encoded + answer.body)
        except StoreUnavailable as error:
            responses.append(self._unavailable(error, endpoint.operation))
        except (SandboxMissing, SandboxChanged):
            return  # The ordinary way opens a new sandbox, or the current one.

    async def _settle(self, endpoint: Endpoint, request: ProviderRequest, answer: Answer) -> None:
        """Do what remains to be done before the response leaves."""
        if answer.owes_callback:
            with suppress(SandboxMissing):
                await endpoint.expect_callback(request, answer.task_id)
        if self._waits:
            await self._responder.persisted()
        if answer.owes_callback:  # Nothing can send it before the connection has the response.
            endpoint.begin_delivery(request)

    def _may_match(self, endpoint: Endpoint, request: ProviderRequest) -> bool:
        rule_input = rule_input_of(endpoint, request, is_durable=self._responder.is_durable)
        return request.sandbox.may_match(rule_input, request.real_ms)
