"""POST /api/v1/generateTask/{model} (SUB-1 … SUB-19)."""

from collections.abc import Awaitable

import msgspec
from starlette.types import Receive, Scope

from mock_server.domain.catalogue import Model
from mock_server.domain.commands import CompleteEarly, ExpectCallback, Submit
from mock_server.domain.dispatching import CallbackDispatcher
from mock_server.domain.errors import InvalidRequest
from mock_server.domain.operation import Operation
from mock_server.domain.planner import Planner
from mock_server.domain.ports import BadImage, ReferenceJudge
from mock_server.domain.results import Rejection
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.rules import RuleInput
from mock_server.domain.sandbox_settings import GeneralParameters, SandboxSettings
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.submission import Submission, SubmissionDecoder, prompt_of
from mock_server.domain.task import Task
from mock_server.web import envelope
from mock_server.web.answer import Answer, rejected
from mock_server.web.api_keys import ApiKeys
from mock_server.web.base_urls import BaseUrls
from mock_server.web.body import is_json, read_body
from mock_server.web.endpoints.keyed import KeyedEndpoint
from mock_server.web.request import Headers, ProviderRequest
from mock_server.web.responder import Responder


class SubmissionServices(msgspec.Struct, frozen=True):
    """The services that submits of all models share."""

    planner: Planner
    references: ReferenceJudge
    matcher: RuleMatcher
    base_urls: BaseUrls
    dispatcher: CallbackDispatcher
    body_limit_bytes: int


class _Decoders(dict[tuple[bool, GeneralParameters], SubmissionDecoder]):
    """The decoders of a model by settings of the sandbox. Each is made when it is first used."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def __missing__(self, settings: tuple[bool, GeneralParameters]) -> SubmissionDecoder:
        strict, general = settings
        decoder = self[settings] = SubmissionDecoder(
            self._model, strict=strict, general_ratios=general == "accept"
        )
        return decoder


class SubmitEndpoint(KeyedEndpoint):
    operation = Operation.SUBMIT
    methods = ("POST",)
    reads_body = True

    def __init__(
        self,
        store: Store,
        api_keys: ApiKeys,
        responder: Responder,
        *,
        model: Model,
        services: SubmissionServices,
    ) -> None:
        super().__init__(store, api_keys, responder)
        self._model = model
        self._services = services
        self._decoders = _Decoders(model)

    def body(self, headers: Headers, receive: Receive) -> Awaitable[bytes]:
        return read_body(headers, receive, self._services.body_limit_bytes)

    def answers_at_once(self, request: ProviderRequest) -> bool:
        body = request.body
        if request.query or body is None or len(body) > self._services.body_limit_bytes:
            return False
        try:
            submission = request.submission = self._decode(request, body)
        except InvalidRequest:
            return True  # `handle` rejects it.
        if submission.image_urls:
            return False
        return submission.callback_url is None or not request.sandbox.has_rules

    def rule_input(self, request: ProviderRequest) -> RuleInput:
        submission = request.submission
        prompt = prompt_of(request.body or b"") if submission is None else submission.prompt
        return RuleInput(
            operation=self.operation,
            subject=prompt or "",
            prompt=prompt,
            headers=request.headers.items(),
        )

    async def handle(self, request: ProviderRequest) -> Answer:
        if request.body is None:
            detail = f"body: must have at most {self._services.body_limit_bytes} bytes"
            return await self.reject_counted(request, 413, "Body too large", detail)
        settings, services = request.sandbox.settings, self._services
        bad_image = None
        try:
            submission = request.submission or self._decode(request, request.body)
            if submission.image_urls:
                bad_image = await self._find_bad_image(request, submission, settings)
                # They are not needed any more, and a data URL is long.
                submission = msgspec.structs.replace(submission, image_urls=())
            plan_request = services.planner.request(submission, settings, bad_image, request.match)
        except InvalidRequest as error:
            return await self.reject_counted(request, 400, "Invalid request", str(error))
        view = await self._store.execute(
            request.sandbox.id,
            Submit(
                real_ms=request.real_ms,
                model_id=self._model.id,
                submission=submission,
                plan_request=plan_request,
                known_changes=request.known_changes,
                base_url=services.base_urls.of(
                    request.address, request.block.by_name, settings.result_host
                ),
            ),
        )
        if isinstance(view, Rejection):
            return rejected(view, request.sandbox.settings)
        task = view.task
        owes_callback = task.order.callback_url is not None
        if owes_callback and request.sandbox.has_rules:
            owes_callback = not await self._delivered_early(request, task)
        return Answer(
            200, envelope.accepted(task), view.now_ms, task.id, owes_callback=owes_callback
        )

    def _decode(self, request: ProviderRequest, body: bytes) -> Submission:
        headers = request.block.by_name
        if headers.get(b"content-type") != envelope.JSON and not is_json(headers):
            raise InvalidRequest("Content-Type: must be application/json in UTF-8")
        settings = request.sandbox.settings
        return self._decoders[settings.strict, settings.general_parameters].decode(body)

    async def expect_callback(self, request: ProviderRequest, task_id: str) -> None:
        await self._store.execute(
            request.sandbox.id, ExpectCallback(real_ms=self._responder.now_ms(), task_id=task_id)
        )

    def begin_delivery(self, request: ProviderRequest) -> None:
        self._services.dispatcher.wake(request.sandbox.id)

    async def _find_bad_image(
        self, request: ProviderRequest, submission: Submission, settings: SandboxSettings
    ) -> BadImage | None:
        bad_image = await self._services.references.find_bad_image(
            submission.image_urls, self._model, settings.image_urls, request.sandbox.id
        )
        request.real_ms = self._responder.now_ms()  # Fetching may have taken seconds.
        if bad_image is not None and self._responder.is_durable:
            reason = request.block.redacted.redactor.everywhere(bad_image.reason.encode()).decode()
            bad_image = msgspec.structs.replace(bad_image, reason=reason)
        return bad_image

    async def _delivered_early(self, request: ProviderRequest, task: Task) -> bool:
        """Send the callback before the submit is answered, if a rule says so.

        Return True if the task was ended and its callback was sent.
        """
        real_ms = self._responder.now_ms()
        rule_input = RuleInput(
            operation=Operation.CALLBACK,
            subject=task.id,
            prompt=task.prompt,
            attempt=1,
            is_early=True,
        )
        match = await self._services.matcher.match(request.sandbox, rule_input, real_ms)
        if match is None:
            return False
        await self._store.execute(
            request.sandbox.id, CompleteEarly(real_ms=real_ms, task_id=task.id, rule_id=match.rule)
        )
        await self._store.execute(
            request.sandbox.id, ExpectCallback(real_ms=real_ms, task_id=task.id)
        )
        await self._services.dispatcher.deliver_now(request.sandbox.id, task.id, match)
        return True


class AuthenticatedSubmit(SubmitEndpoint):
    """A submit without API key, for the sandbox that the control plane has authenticated."""

    def sandbox(
        self, scope: Scope, headers: Headers, real_ms: int
    ) -> Awaitable[SandboxReader | None]:
        authenticated: SandboxReader = scope["state"]["sandbox"]
        return self._store.read(authenticated.id)
