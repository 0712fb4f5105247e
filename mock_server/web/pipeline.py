"""The steps of every provider request: authenticate, match rules, handle, record, respond."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from starlette.types import Receive, Scope, Send

from mock_server.domain.errors import SandboxMissing
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
from mock_server.web.request import Headers, ProviderRequest
from mock_server.web.request_log import NOTE
from mock_server.web.responder import Responder


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

    def rule_input(self, request: ProviderRequest) -> RuleInput:
        """Return the part of the request that rules can match."""
        return RuleInput(operation=self.operation, headers=request.headers)

    @abstractmethod
    async def handle(self, request: ProviderRequest) -> Answer:
        """Return the response to a request that no rule rejects."""

    @abstractmethod
    async def reject(self, request: ProviderRequest, rejection: RuleRejection) -> Answer:
        """Return the response to a request that a rule rejects, unless a limit rejects it first."""

    async def deliver(self, request: ProviderRequest, task_id: str) -> None:
        """Start the callback of a task after its response (`owes_callback`)."""
        raise AssertionError(f"{self.operation} has no callback")


class Pipeline:
    """Handles each request of a client in the same order of steps."""

    def __init__(self, responder: Responder, matcher: RuleMatcher, clock: RealClock) -> None:
        self._responder = responder
        self._matcher = matcher
        self._now_ns = clock.now_ns

    async def run(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request and send the response."""
        responder = self._responder
        began_ns = self._now_ns()
        headers: Headers = dict(scope["headers"])
        real_ms = began_ns // 1_000_000
        sandbox = await endpoint.sandbox(scope, headers, real_ms)
        if scope["method"] not in endpoint.methods:
            await self._reject_method(endpoint, scope, headers, sandbox, began_ns, send)
            return
        if sandbox is None:
            await responder.send(send, endpoint.reject_unknown(headers, real_ms))
            return
        request = ProviderRequest(scope, headers, sandbox, began_ns, real_ms)
        if endpoint.reads_body:
            try:
                request.body = await endpoint.body(headers, receive)
            except BodyTooLarge:
                request.body = None
            except ClientGone:
                return
            request.real_ms = self._now_ns() // 1_000_000
        try:
            if sandbox.has_rules:
                answer = await self._ruled(endpoint, request)
            else:
                answer = await endpoint.handle(request)
        except SandboxMissing:
            answer = await self._answer_again(endpoint, request)
        await responder.respond(request, endpoint.operation, answer, send)
        if answer.owes_callback:
            with suppress(SandboxMissing):
                await endpoint.deliver(request, answer.task_id)

    async def _reject_method(
        self,
        endpoint: Endpoint,
        scope: Scope,
        headers: Headers,
        sandbox: SandboxReader | None,
        began_ns: int,
        send: Send,
    ) -> None:
        real_ms = began_ns // 1_000_000
        if scope["method"] == "OPTIONS":  # A browser asks, not the client: nothing is counted.
            if sandbox is not None and NOTE in scope:
                scope[NOTE].take(sandbox)
            await self._responder.send(send, options(endpoint.methods, real_ms))
            return
        answer = await endpoint.reject_method(scope, sandbox)
        if sandbox is None:
            await self._responder.send(send, answer)
            return
        request = ProviderRequest(scope, headers, sandbox, began_ns, real_ms)
        await self._responder.respond(request, endpoint.operation, answer, send)

    async def _answer_again(self, endpoint: Endpoint, request: ProviderRequest) -> Answer:
        """Answer a request whose sandbox was removed meanwhile, from the one in its place."""
        request.match, request.real_ms = None, self._responder.now_ms()
        sandbox = await endpoint.sandbox(request.scope, request.headers, request.real_ms)
        if sandbox is None:
            return endpoint.reject_unknown(request.headers, request.real_ms)
        request.sandbox = sandbox
        if sandbox.has_rules:
            return await self._ruled(endpoint, request)
        return await endpoint.handle(request)

    async def _ruled(self, endpoint: Endpoint, request: ProviderRequest) -> Answer:
        """Return the response with the effect of the first matching rule.

        Afterwards `request.match` is the rule whose effect the response has. It is None if the
        rule could not change the response.
        """
        match = await self._matcher.match(
            request.sandbox, endpoint.rule_input(request), request.real_ms
        )
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

    def _spoil(
        self, endpoint: Endpoint, request: ProviderRequest, match: RuleMatch, answer: Answer
    ) -> Answer:
        if match.effect.meaning and answer.status in endpoint.spoiled_statuses:
            return spoiled(
                answer, match.effect.meaning, request_url(request.scope, request.headers)
            )
        if answer.status not in endpoint.spoiled_statuses and not match.effect.always_shows:
            request.match = None
        return answer
