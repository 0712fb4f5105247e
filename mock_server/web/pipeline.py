"""The steps of every provider request: authenticate, match rules, handle, record, respond."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from contextlib import suppress

import msgspec
from starlette.types import Receive, Scope, Send

from mock_server.domain.errors import SandboxMissing, StoreUnavailable
from mock_server.domain.faults.effect import RuleRejection
from mock_server.domain.operation import Operation
from mock_server.domain.ports import RealClock
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import SandboxReader
from mock_server.web.answer import Answer, options
from mock_server.web.base_urls import request_url
from mock_server.web.body import BodyTooLarge, ClientGone
from mock_server.web.meaning_faults import spoiled
from mock_server.web.request import (
    NOTE,
    HeaderBlock,
    Headers,
    LocalAddress,
    ProviderRequest,
    Target,
)
from mock_server.web.responder import Responder
from mock_server.web.response_head import ResponseHead
from mock_server.web.wire_faults import EXTENSION


class Endpoint(ABC):
    """The part of a request that differs by operation; `Pipeline` does the common steps."""

    operation: Operation
    methods: Sequence[str]
    reads_body = False
    spoiled_statuses: frozenset[int] = frozenset()  # Only these can get a meaning fault.

    @abstractmethod
    def sandbox(
        self, scope: Scope, headers: Headers, real_ms: int
    ) -> Awaitable[SandboxReader | None]:
        """Return the sandbox of a request, or None if there is none."""

    @abstractmethod
    async def reject_method(self, scope: Scope, sandbox: SandboxReader | None) -> Answer:
        """Return the response to an unsupported method."""

    @abstractmethod
    def reject_unknown(self, headers: Headers, real_ms: int) -> Answer:
        """Return the response to a request without a sandbox."""

    def body(self, headers: Headers, receive: Receive) -> Awaitable[bytes]:
        """Return the body. Raises BodyTooLarge, ClientGone."""
        raise AssertionError(f"{self.operation} reads no body")

    def answers_at_once(self, request: ProviderRequest) -> bool:
        """Tell whether `handle` waits for nothing but the store, and the query needs no parser."""
        return False

    def rule_input(self, request: ProviderRequest) -> RuleInput:
        """Return the part of the request that rules can match."""
        return RuleInput(operation=self.operation, headers=request.headers.items())

    @abstractmethod
    async def handle(self, request: ProviderRequest) -> Answer:
        """Return the response to a request that no rule rejects."""

    async def answer_in_one_step(self, request: ProviderRequest) -> bytes | None:
        """Handle a request, record it and return the response, all by one command.

        Return None if the sandbox, as this process knows it, does not determine the response.
        Raises SandboxChanged if it has changed meanwhile; then nothing has happened.
        """
        return None

    @abstractmethod
    async def reject(self, request: ProviderRequest, rejection: RuleRejection) -> Answer:
        """Return the response to a request that a rule rejects, unless a limit rejects it first."""

    async def expect_callback(  # noqa: B027  # Only a submit has to do anything.
        self, request: ProviderRequest, task_id: str
    ) -> None:
        """Schedule the callback of a task (`owes_callback`), unless it already is."""

    def begin_delivery(self, request: ProviderRequest) -> None:
        """Deliver callbacks that are due, after the response (`owes_callback`)."""
        raise AssertionError(f"{self.operation} has no callback")


def rule_input_of(endpoint: Endpoint, request: ProviderRequest, *, is_durable: bool) -> RuleInput:
    """Return the part of a request that rules can match, for a durable store without the key."""
    rule_input = endpoint.rule_input(request)
    if is_durable:
        conditions = request.block.redacted.conditions
        return msgspec.structs.replace(rule_input, headers=conditions)
    return rule_input


class Pipeline:
    """Handles each request of a client in the same order of steps."""

    def __init__(self, responder: Responder, matcher: RuleMatcher, clock: RealClock) -> None:
        self._responder = responder
        self._matcher = matcher
        self._now_ns = clock.now_ns

    async def run(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request of an ASGI server and send the response.

        A response leaves only after its commands are persistent. If the store cannot be used, the
        client gets 503.
        """
        try:
            await self._run(endpoint, scope, receive, send)
        except StoreUnavailable as error:
            await self._responder.send(
                send, *self._responder.unavailable(error, endpoint.operation)
            )

    async def _run(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        began_ns = self._now_ns()
        block = HeaderBlock.of(scope["headers"])
        sandbox = await endpoint.sandbox(scope, block.by_name, began_ns // 1_000_000)
        if sandbox is None:
            answer = await self._reject_without_sandbox(
                endpoint, scope, block, began_ns // 1_000_000
            )
            await self._responder.send(send, answer)
            return
        request = ProviderRequest(
            Target.of(scope),
            scope["query_string"],
            block,
            LocalAddress.of(scope),
            sandbox,
            began_ns,
            began_ns // 1_000_000,
            note=scope.get(NOTE),
        )
        if scope["method"] in endpoint.methods:
            await self._serve(endpoint, request, scope, receive, send)
        elif scope["method"] == "OPTIONS":  # A preflight of a browser is not counted.
            if request.note is not None:
                request.note.take(sandbox)
            await self._responder.send(send, options(endpoint.methods, request.real_ms))
        else:
            answer = await endpoint.reject_method(scope, sandbox)
            head = await self.record(endpoint, request, answer)
            await self._responder.persisted()
            await self._responder.send(send, answer, head)

    async def answer(self, endpoint: Endpoint, request: ProviderRequest) -> Answer:
        """Return the response to a request, with the effect of the first matching rule.

        Afterwards `request.match` is the rule whose effect the response has. It is None if the
        rule could not change the response. Raises SandboxMissing.
        """
        if not request.sandbox.has_rules:
            return await endpoint.handle(request)
        rule_input = rule_input_of(endpoint, request, is_durable=self._responder.is_durable)
        match = await self._matcher.match(request.sandbox, rule_input, request.real_ms)
        if match is None:
            return await endpoint.handle(request)
        request.match = match
        await self._responder.pause(match)
        request.real_ms = self._responder.now_ms()
        rejection = match.effect.rejection
        if rejection is not None:
            answer = await endpoint.reject(request, rejection)
            request.match = (
                match if answer.status == rejection.status else None
            )  # None: LIM-1 came first.
            return answer
        answer = await endpoint.handle(request)
        return self._spoil(endpoint, request, match, answer)

    async def record(
        self, endpoint: Endpoint, request: ProviderRequest, answer: Answer
    ) -> ResponseHead:
        """Record the response to a request and return its head."""
        return await self._responder.record(request, endpoint.operation, answer)

    async def _serve(
        self,
        endpoint: Endpoint,
        request: ProviderRequest,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Read the body of a request if its endpoint needs it, handle it and respond."""
        if endpoint.reads_body:
            try:
                request.body = await endpoint.body(request.headers, receive)
            except BodyTooLarge:
                request.body = None
            except ClientGone:
                return
            request.real_ms = self._now_ns() // 1_000_000
        answer = await self._answer_with_retries(endpoint, request, scope)
        head = await self.record(endpoint, request, answer)
        if self._responder.is_durable:
            if answer.owes_callback:  # It must not be lost if the process ends after the response.
                await self._expect_callback(endpoint, request, answer)
            await self._responder.persisted()
        if request.match is not None and request.match.effect.wire is not None:
            connection = scope["extensions"][EXTENSION]
            await self._responder.send_faulty(send, answer, head, request.match, connection)
        else:
            await self._responder.send(send, answer, head)
        if answer.owes_callback:
            if not self._responder.is_durable:
                await self._expect_callback(endpoint, request, answer)
            endpoint.begin_delivery(request)

    async def _expect_callback(
        self, endpoint: Endpoint, request: ProviderRequest, answer: Answer
    ) -> None:
        with suppress(SandboxMissing):
            await endpoint.expect_callback(request, answer.task_id)

    async def _reject_without_sandbox(
        self, endpoint: Endpoint, scope: Scope, block: HeaderBlock, real_ms: int
    ) -> Answer:
        """Return the response to a request without a sandbox."""
        if scope["method"] in endpoint.methods:
            return endpoint.reject_unknown(block.by_name, real_ms)
        if scope["method"] == "OPTIONS":
            return options(endpoint.methods, real_ms)
        return await endpoint.reject_method(scope, None)

    async def _answer_with_retries(
        self, endpoint: Endpoint, request: ProviderRequest, scope: Scope
    ) -> Answer:
        """Answer a request. If its sandbox is removed meanwhile, answer from the new sandbox."""
        while True:
            try:
                return await self.answer(endpoint, request)
            except SandboxMissing:
                request.match, request.real_ms = None, self._responder.now_ms()
            sandbox = await endpoint.sandbox(scope, request.headers, request.real_ms)
            if sandbox is None:
                return endpoint.reject_unknown(request.headers, request.real_ms)
            request.sandbox = sandbox

    def _spoil(
        self, endpoint: Endpoint, request: ProviderRequest, match: RuleMatch, answer: Answer
    ) -> Answer:
        if match.effect.meaning and answer.status in endpoint.spoiled_statuses:
            return spoiled(answer, match.effect.meaning, request_url(request))
        if answer.status not in endpoint.spoiled_statuses and not match.effect.always_shows:
            request.match = None
        return answer
