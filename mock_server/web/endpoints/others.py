"""GET /api/v1/apikeys/current-balance (BIL-2), and requests for unknown models."""

from collections.abc import Iterable

from mock_server.domain.commands import CountRequest
from mock_server.domain.errors import quoted
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.operation import Operation
from mock_server.domain.results import Rejection
from mock_server.domain.store import Store
from mock_server.web import envelope
from mock_server.web.answer import Answer, rejected
from mock_server.web.api_keys import ApiKeys
from mock_server.web.endpoints.keyed import KeyedEndpoint
from mock_server.web.request import ProviderRequest
from mock_server.web.responder import Responder


class BalanceEndpoint(KeyedEndpoint):
    operation = Operation.BALANCE
    methods = ("GET",)

    def answers_at_once(self, request: ProviderRequest) -> bool:
        return not request.query

    async def handle(self, request: ProviderRequest) -> Answer:
        counted = await self._store.execute(
            request.sandbox.id,
            CountRequest(real_ms=request.real_ms, known_changes=request.known_changes),
        )
        if isinstance(counted, Rejection):
            return rejected(counted, request.sandbox.settings)
        return Answer(200, envelope.balance(counted.balance_microusd), counted.now_ms)


class UnknownModelEndpoint(KeyedEndpoint):
    """The submit or status path of an unknown model (SUB-18)."""

    def __init__(
        self,
        store: Store,
        api_keys: ApiKeys,
        responder: Responder,
        *,
        operation: Operation,
        method: str,
        known: Iterable[str],
    ) -> None:
        super().__init__(store, api_keys, responder)
        self.operation = operation
        self.methods = (method,)
        self._known = tuple(known)

    async def handle(self, request: ProviderRequest) -> Answer:
        model_id = request.target.path.rpartition("/")[2]
        detail = f"model: {quoted(model_id)} is unknown{did_you_mean(model_id, self._known)}"
        return await self.reject_counted(request, 404, "Model not found", detail)
