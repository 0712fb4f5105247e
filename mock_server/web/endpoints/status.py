"""GET /api/v1/statusTask/{model}?taskId=… (STA-1 … STA-11)."""

import re
from urllib.parse import parse_qs

from mock_server.domain.catalogue import Model
from mock_server.domain.commands import AnswerStatus, ReadStatus
from mock_server.domain.dispatching import CallbackDispatcher
from mock_server.domain.operation import Operation
from mock_server.domain.results import Rejection
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import Store
from mock_server.domain.task import PENDING, PROCESSING, state_at
from mock_server.web import envelope
from mock_server.web.answer import Answer, rejected
from mock_server.web.api_keys import ApiKeys
from mock_server.web.endpoints.keyed import KeyedEndpoint
from mock_server.web.request import ProviderRequest
from mock_server.web.responder import Responder

_PLAIN_QUERY = re.compile(rb"taskId=([A-Za-z0-9_.~-]+)")


class StatusEndpoint(KeyedEndpoint):
    operation = Operation.STATUS
    methods = ("GET",)

    def __init__(
        self,
        store: Store,
        api_keys: ApiKeys,
        responder: Responder,
        *,
        model: Model,
        dispatcher: CallbackDispatcher,
    ) -> None:
        super().__init__(store, api_keys, responder)
        self._model_id = model.id
        self._dispatcher = dispatcher
        self._is_durable = responder.is_durable

    def answers_at_once(self, request: ProviderRequest) -> bool:
        found = _PLAIN_QUERY.fullmatch(request.query)
        if found is None:
            return False
        task_id = found[1].decode()
        request.task_id = self._without_key(request, task_id) if self._is_durable else task_id
        return True

    def rule_input(self, request: ProviderRequest) -> RuleInput:
        task_id = request.task_id or self._task_id(request)
        return RuleInput(
            operation=self.operation,
            subject=task_id,
            task_id=task_id,
            headers=request.headers.items(),
        )

    async def handle(self, request: ProviderRequest) -> Answer:
        task_id = request.task_id or self._task_id(request)
        if not task_id:  # STA-1
            detail = "taskId: is required in the query"
            return await self.reject_counted(request, 400, "Invalid request", detail)
        view = await self._store.execute(
            request.sandbox.id,
            ReadStatus(
                real_ms=request.real_ms,
                model_id=self._model_id,
                task_id=task_id,
                known_changes=request.known_changes,
            ),
        )
        if isinstance(view, Rejection):
            return rejected(view, request.sandbox.settings)
        body = envelope.status(view.task, view.now_ms, request.sandbox)
        return Answer(200, body, view.now_ms, task_id, owes_callback=view.ends_now)

    async def answer_in_one_step(self, request: ProviderRequest) -> bytes | None:
        sandbox, task_id = request.sandbox, request.task_id
        # Another process may have used the sandbox, and real time in it never goes back.
        real_ms = max(request.real_ms, sandbox.used_ms)
        view = sandbox.task(task_id, real_ms)
        if view is None or view.task.ends_by_polls:
            return None
        state = state_at(view.task, view.now_ms)
        if state is not PENDING and state is not PROCESSING:
            return None
        body = envelope.status(view.task, view.now_ms, sandbox)
        answer = Answer(200, body, view.now_ms, task_id)
        record, head = self._responder.record_of(request, self.operation, answer)
        command = AnswerStatus(
            real_ms=real_ms,
            model_id=self._model_id,
            state=state,
            entry=record.entry,
            known_changes=request.known_changes,
        )
        await self._store.execute(sandbox.id, command)
        await self._responder.persisted()
        return head.encoded + body

    def begin_delivery(self, request: ProviderRequest) -> None:
        self._dispatcher.wake(request.sandbox.id)

    def known_task_id(self, request: ProviderRequest) -> str:
        task_id = request.task_id or self._task_id(request)
        return task_id if request.sandbox.task(task_id, request.real_ms) else ""

    def _task_id(self, request: ProviderRequest) -> str:
        task_id = _task_id(request.query)
        return self._without_key(request, task_id) if self._is_durable else task_id

    def _without_key(self, request: ProviderRequest, task_id: str) -> str:
        """Return the id without the key of the request, unless it is the id of a task."""
        raw = task_id.encode(errors="replace")
        redacted = request.block.redacted.redactor.everywhere(raw)
        if redacted is raw or request.sandbox.task(task_id, request.real_ms) is not None:
            return task_id
        return redacted.decode(errors="replace")


def _task_id(query: bytes) -> str:
    plain = _PLAIN_QUERY.fullmatch(query)
    if plain:
        return plain[1].decode()
    values = parse_qs(query.decode("latin-1")).get("taskId")
    return values[0] if values else ""
