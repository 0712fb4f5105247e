"""The base class of endpoints that require an API key (AUTH-1 … AUTH-5, LIM-3, LIM-4)."""

from abc import abstractmethod
from collections.abc import Awaitable

from starlette.types import Scope

from mock_server.domain.commands import CountRequest
from mock_server.domain.errors import SandboxMissing
from mock_server.domain.faults.effect import RuleRejection
from mock_server.domain.results import Rejection
from mock_server.domain.store import SandboxReader, Store
from mock_server.web import envelope
from mock_server.web.answer import (
    Answer,
    forbidden,
    rejected,
    rejected_by_rule,
    unauthorized,
    wrong_method,
)
from mock_server.web.api_keys import ApiKeys
from mock_server.web.pipeline import Endpoint
from mock_server.web.redaction import Redactor
from mock_server.web.request import Headers, ProviderRequest
from mock_server.web.responder import Responder


class KeyedEndpoint(Endpoint):
    """An endpoint that requires an API key; its requests count for the rate limit."""

    spoiled_statuses = frozenset({200})

    def __init__(self, store: Store, api_keys: ApiKeys, responder: Responder) -> None:
        self._store = store
        self._api_keys = api_keys
        self._responder = responder

    def sandbox(
        self, scope: Scope, headers: Headers, real_ms: int
    ) -> Awaitable[SandboxReader | None]:
        return self._api_keys.sandbox(headers.get(b"authorization"), real_ms)

    async def reject_method(self, scope: Scope, sandbox: SandboxReader | None) -> Answer:
        now_ms = self._responder.now_ms()
        if sandbox is None:
            return wrong_method(scope, self.methods[0], now_ms)
        try:
            counted = await self._store.execute(sandbox.id, CountRequest(real_ms=now_ms))
        except SandboxMissing:  # It was removed during the request, and its counters with it.
            return wrong_method(scope, self.methods[0], now_ms)
        if isinstance(counted, Rejection):
            return rejected(counted, sandbox.settings)
        return wrong_method(scope, self.methods[0], counted.now_ms)

    def reject_unknown(self, headers: Headers, real_ms: int) -> Answer:
        problem = self._api_keys.key_problem(headers)
        reject = forbidden if problem.is_forbidden else unauthorized
        answer = reject(problem.text, real_ms)
        self._responder.count_unauthorized(self.operation, answer.status)
        return answer

    async def reject(self, request: ProviderRequest, rejection: RuleRejection) -> Answer:
        real_ms, task_id = request.real_ms, self.known_task_id(request)
        if rejection.status == 429:  # LIM-4: a 429 is not counted.
            now_ms = request.sandbox.clock(real_ms).now_ms
            return rejected_by_rule(rejection, now_ms, task_id)
        counted = await self._store.execute(request.sandbox.id, CountRequest(real_ms=real_ms))
        if isinstance(counted, Rejection):
            return rejected(counted, request.sandbox.settings)
        return rejected_by_rule(rejection, counted.now_ms, task_id)

    def known_task_id(self, request: ProviderRequest) -> str:
        """Return the id of the request's task, or an empty string if the task is unknown."""
        return ""

    async def reject_counted(
        self, request: ProviderRequest, status: int, message: str, detail: str
    ) -> Answer:
        """Reject a request; it still counts toward the rate limit (LIM-4).

        `detail` may quote the request, so the API key is redacted: clients log error messages.
        """
        counted = await self._store.execute(
            request.sandbox.id,
            CountRequest(real_ms=request.real_ms, known_changes=request.known_changes),
        )
        if isinstance(counted, Rejection):
            return rejected(counted, request.sandbox.settings)
        shown = Redactor.of_request(request.block.pairs).sentence(detail)
        return Answer(status, envelope.error(status, message, shown), counted.now_ms)

    @abstractmethod
    async def handle(self, request: ProviderRequest) -> Answer: ...
