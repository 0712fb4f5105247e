"""The provider's endpoints as plain ASGI callables, in front of any router."""

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

from starlette.types import Receive, Scope

from mock_server.domain.briefing import Briefing
from mock_server.domain.catalogue import Model
from mock_server.domain.errors import InvalidRequest
from mock_server.domain.journal import Operation
from mock_server.domain.ports import ReferenceJudge
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import Refused, Sandbox
from mock_server.domain.submission import SubmissionDecoder, prompt_of
from mock_server.domain.task import Task, state_at
from mock_server.web import envelope
from mock_server.web.answer import Answer
from mock_server.web.base_urls import BaseUrls
from mock_server.web.body import BodyTooLarge, is_json, read_body
from mock_server.web.endpoint import Endpoint
from mock_server.web.exchange import Exchange, Headers, refused
from mock_server.web.tenants import Tenants

SUBMIT_PATH = "/api/v1/generateTask/"
STATUS_PATH = "/api/v1/statusTask/"
BALANCE_PATH = "/api/v1/apikeys/current-balance"

_PLAIN_QUERY = re.compile(rb"taskId=([A-Za-z0-9_.~-]+)")


Wake = Callable[[Sandbox], None]
DeliverNow = Callable[[Sandbox, str, RuleMatch], Awaitable[None]]


class SubmitEndpoint(Endpoint):
    """POST /api/v1/generateTask/{model} (SUB-1 … SUB-18)."""

    operation = Operation.SUBMIT
    method = "POST"

    def __init__(
        self,
        tenants: Tenants,
        exchange: Exchange,
        *,
        model: Model,
        briefing: Briefing,
        references: ReferenceJudge,
        wake: Wake,
        deliver_now: DeliverNow,
        public_url: str | None,
        body_limit: int,
    ) -> None:
        super().__init__(tenants, exchange)
        self._model = model
        self._briefing = briefing
        self._references = references
        self._wake = wake
        self._deliver_now = deliver_now
        self._bases = BaseUrls(public_url)
        self._body_limit = body_limit
        self.decoders = {
            strict: SubmissionDecoder(model, strict=strict) for strict in (False, True)
        }

    async def read(self, headers: Headers, receive: Receive) -> bytes | None:
        try:
            return await read_body(headers, receive, self._body_limit)
        except BodyTooLarge:
            return None

    async def about(
        self, sandbox: Sandbox, scope: Scope, headers: Headers, body: bytes | None
    ) -> RuleInput:
        prompt = prompt_of(body or b"")
        return RuleInput(
            operation=self.operation, subject=prompt or "", prompt=prompt, headers=headers
        )

    async def handle(
        self,
        sandbox: Sandbox,
        scope: Scope,
        headers: Headers,
        body: bytes | None,
        applied: RuleMatch | None,
    ) -> Answer:
        if body is None:
            detail = f"body: must have at most {self._body_limit} bytes"
            return await self._refuse(sandbox, 413, "Body too large", detail)
        try:
            if not is_json(headers):
                raise InvalidRequest("Content-Type: must be application/json, in UTF-8")
            settings = sandbox.settings
            submission = self.decoders[settings.strict].decode(body)
            bad_image = None
            if submission.image_urls:
                bad_image = await self._references.find_bad_image(
                    submission.image_urls, self._model, settings.image_urls
                )
            brief = self._briefing.brief(submission, settings, bad_image, applied)
        except InvalidRequest as error:
            return await self._refuse(sandbox, 400, "Invalid request", str(error))
        seen = await sandbox.admit(
            self._model, submission, brief, self._bases.of(scope, headers), self._exchange.now_ms()
        )
        if isinstance(seen, Refused):
            return refused(sandbox, seen)
        task = seen.task
        owes_callback = task.callback_url is not None
        if owes_callback and sandbox.has_rules:
            owes_callback = not await self._is_delivered_early(sandbox, task)
        return Answer(
            200, envelope.accepted(task), seen.now_ms, task.id, owes_callback=owes_callback
        )

    async def deliver(self, sandbox: Sandbox, task_id: str) -> None:
        await sandbox.expect_callback(task_id)
        self._wake(sandbox)

    async def _is_delivered_early(self, sandbox: Sandbox, task: Task) -> bool:
        """End the task and send its callback before the submit is answered, if a rule says so."""
        applied = await self._exchange.rules.match(
            sandbox,
            RuleInput(
                operation=Operation.CALLBACK,
                subject=task.id,
                prompt=task.prompt,
                attempt=1,
                is_early=True,
            ),
        )
        if applied is None:
            return False
        await sandbox.hasten(task.id, applied.rule, self._exchange.now_ms())
        await sandbox.expect_callback(task.id)
        await self._deliver_now(sandbox, task.id, applied)
        return True


class StatusEndpoint(Endpoint):
    """GET /api/v1/statusTask/{model}?taskId=… (STA-1 … STA-11)."""

    operation = Operation.STATUS
    method = "GET"

    def __init__(
        self,
        tenants: Tenants,
        exchange: Exchange,
        *,
        model: Model,
        result_urls: envelope.ResultUrls,
        wake: Wake,
    ) -> None:
        super().__init__(tenants, exchange)
        self._model_id = model.id
        self._result_urls = result_urls
        self._wake = wake

    async def about(
        self, sandbox: Sandbox, scope: Scope, headers: Headers, body: bytes | None
    ) -> RuleInput:
        task_id = _task_id(scope["query_string"])
        seen = await sandbox.task(task_id, self._exchange.now_ms())
        return RuleInput(
            operation=self.operation,
            subject=task_id,
            task_id=task_id if seen else "",
            prompt=seen.task.prompt if seen else None,
            headers=headers,
            state=state_at(seen.task, seen.now_ms) if seen else None,
        )

    async def handle(
        self,
        sandbox: Sandbox,
        scope: Scope,
        headers: Headers,
        body: bytes | None,
        applied: RuleMatch | None,
    ) -> Answer:
        task_id = _task_id(scope["query_string"])
        if not task_id:  # STA-1
            detail = "taskId: is required in the query"
            return await self._refuse(sandbox, 400, "Invalid request", detail)
        seen = await sandbox.observe(self._model_id, task_id, self._exchange.now_ms())
        if isinstance(seen, Refused):
            return refused(sandbox, seen)
        told = envelope.status(seen.task, seen.now_ms, self._result_urls)
        return Answer(200, told, seen.now_ms, task_id, owes_callback=seen.ends_now)

    async def deliver(self, sandbox: Sandbox, task_id: str) -> None:
        self._wake(sandbox)


class BalanceEndpoint(Endpoint):
    """GET /api/v1/apikeys/current-balance (BIL-2)."""

    operation = Operation.BALANCE
    method = "GET"

    async def handle(
        self,
        sandbox: Sandbox,
        scope: Scope,
        headers: Headers,
        body: bytes | None,
        applied: RuleMatch | None,
    ) -> Answer:
        counted = await sandbox.count(self._exchange.now_ms())
        if isinstance(counted, Refused):
            return refused(sandbox, counted)
        return Answer(200, envelope.balance(counted.balance_microusd), counted.now_ms)


class UnknownModelEndpoint(Endpoint):
    """Either path with a model that the provider does not serve (SUB-18)."""

    def __init__(
        self, tenants: Tenants, exchange: Exchange, *, operation: Operation, method: str,
        known: Mapping[str, Model],
    ) -> None:  # fmt: skip
        super().__init__(tenants, exchange)
        self.operation = operation
        self.method = method
        self._known = ", ".join(known)

    async def handle(
        self,
        sandbox: Sandbox,
        scope: Scope,
        headers: Headers,
        body: bytes | None,
        applied: RuleMatch | None,
    ) -> Answer:
        model_id = scope["path"].rpartition("/")[2]
        detail = f"model: {model_id[:100]!r} is not served; known: {self._known}"
        return await self._refuse(sandbox, 404, "Model not found", detail)


def _task_id(query: bytes) -> str:
    plain = _PLAIN_QUERY.fullmatch(query)
    if plain:
        return plain[1].decode()
    values = parse_qs(query.decode("latin-1")).get("taskId")
    return values[0] if values else ""
