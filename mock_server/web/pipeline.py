"""The one way of every request of a client: authenticate, match rules, handle, record, answer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from starlette.types import Receive, Scope, Send

from mock_server.domain.faults.effect import RuleRejection
from mock_server.domain.operation import Operation
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import SandboxReader
from mock_server.web.answer import Answer
from mock_server.web.body import ClientGone
from mock_server.web.meaning_faults import spoiled
from mock_server.web.request import Headers, ProviderRequest
from mock_server.web.responder import Responder


class Endpoint(ABC):
    """What is special about one operation; `Pipeline` does what all have in common."""

    operation: Operation
    methods: Sequence[str]
    spoiled_statuses: frozenset[int] = frozenset()  # Answers that a meaning fault can change.

    @abstractmethod
    async def sandbox(self, scope: Scope, headers: Headers, real_ms: int) -> SandboxReader | None:
        """Return the sandbox that a request is for."""

    @abstractmethod
    async def reject_method(self, scope: Scope, sandbox: SandboxReader | None) -> Answer: ...

    @abstractmethod
    def reject_unknown(self, real_ms: int) -> Answer:
        """Return the answer to a request that is for no sandbox."""

    async def body(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the body, None when it is too large. Raises ClientGone."""
        return b""

    def rule_input(self, request: ProviderRequest) -> RuleInput:
        """Return what rules may look at."""
        return RuleInput(operation=self.operation, headers=request.headers)

    @abstractmethod
    async def handle(self, request: ProviderRequest) -> Answer:
        """Answer a request that no rule rejects."""

    @abstractmethod
    async def reject(self, request: ProviderRequest, rejection: RuleRejection) -> Answer:
        """Answer a request that a rule rejects, unless a limit rejects it first."""

    async def deliver(self, request: ProviderRequest, task_id: str) -> None:
        """Start the callback that an answer owes."""
        raise AssertionError(f"{self.operation} owes no callback")


class Pipeline:
    def __init__(self, responder: Responder, matcher: RuleMatcher) -> None:
        self._responder = responder
        self._matcher = matcher

    async def run(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        responder = self._responder
        began_ns = responder.now_ns()
        headers: Headers = dict(scope["headers"])
        sandbox = await endpoint.sandbox(scope, headers, began_ns // 1_000_000)
        if scope["method"] not in endpoint.methods:
            await responder.send(send, await endpoint.reject_method(scope, sandbox))
            return
        if sandbox is None:
            await responder.send(send, endpoint.reject_unknown(began_ns // 1_000_000))
            return
        try:
            body = await endpoint.body(headers, receive)
        except ClientGone:
            return
        if body:  # Its sandbox may have been removed while the body arrived.
            sandbox = await endpoint.sandbox(scope, headers, responder.now_ms()) or sandbox
        request = ProviderRequest(scope, headers, sandbox, began_ns, body)
        if sandbox.has_rules:
            answer = await self._ruled(endpoint, request)
        else:
            answer = await endpoint.handle(request)
        await responder.respond(request, endpoint.operation, answer, send)
        if answer.owes_callback:
            await endpoint.deliver(request, answer.task_id)

    async def _ruled(self, endpoint: Endpoint, request: ProviderRequest) -> Answer:
        """Answer as the first matching rule wants it.

        Afterwards `request.match` is the rule that the answer shows, which is none when the
        rule could not change the answer.
        """
        match = await self._matcher.match(
            request.sandbox, endpoint.rule_input(request), self._responder.now_ms()
        )
        if match is None:
            return await endpoint.handle(request)
        request.match = match
        await self._responder.pause(match)
        rejection = match.effect.rejection
        if rejection is not None:
            answer = await endpoint.reject(request, rejection)
            request.match = match if answer.status == rejection.status else None  # LIM-1 was first.
            return answer
        answer = await endpoint.handle(request)
        return self._spoil(endpoint, request, match, answer)

    def _spoil(
        self, endpoint: Endpoint, request: ProviderRequest, match: RuleMatch, answer: Answer
    ) -> Answer:
        if match.effect.meaning and answer.status in endpoint.spoiled_statuses:
            return spoiled(answer, match.effect.meaning)
        if answer.status not in endpoint.spoiled_statuses and not match.effect.always_shows:
            request.match = None
        return answer
