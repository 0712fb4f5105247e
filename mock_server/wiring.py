"""Create the parts of the server and connect them. Only this module imports all others."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.catalogue_files import load_catalogue
from mock_server.connection_limit import OutgoingLimit
from mock_server.domain.operation import Operation
from mock_server.domain.planner import Planner
from mock_server.domain.ports import RealClock, Sender
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.store import Store
from mock_server.front_door import FrontDoor
from mock_server.images.sniff import image_format
from mock_server.late_control import LateControl
from mock_server.lifecycle import Lifecycle
from mock_server.pictures import TaskPictures
from mock_server.profile_files import (
    chosen_profile,
    chosen_rules,
    chosen_snapshot,
    load_profiles,
)
from mock_server.runtime.callback_attempts import CallbackAttempts
from mock_server.runtime.clock import SystemClock
from mock_server.runtime.dispatcher import Dispatcher
from mock_server.runtime.dns_resolver import DnsResolver
from mock_server.runtime.egress import Egress
from mock_server.runtime.entropy import random_seed
from mock_server.runtime.host_lookup import HostLookup
from mock_server.runtime.lanes import LaneLimits
from mock_server.runtime.pattern_search import RegexPatternSearch
from mock_server.runtime.reference_checker import ReferenceChecker
from mock_server.runtime.resuming import resume
from mock_server.settings import Settings
from mock_server.starting_snapshot import StartingSnapshot
from mock_server.store.choice import StoreChoice, open_store
from mock_server.web import envelope
from mock_server.web.api_keys import ApiKeys
from mock_server.web.base_urls import BaseUrls
from mock_server.web.cors import Cors
from mock_server.web.direct import DirectPath
from mock_server.web.endpoints.others import BalanceEndpoint, UnknownModelEndpoint
from mock_server.web.endpoints.results import ResultEndpoint
from mock_server.web.endpoints.status import StatusEndpoint
from mock_server.web.endpoints.submit import AuthenticatedSubmit, SubmissionServices, SubmitEndpoint
from mock_server.web.log_text import LogText
from mock_server.web.origins import Origins
from mock_server.web.paths import BALANCE_PATH, STATUS_PATH, SUBMIT_PATH
from mock_server.web.pipeline import Endpoint, Pipeline
from mock_server.web.request_checks import RequestChecks
from mock_server.web.request_log import RequestLog
from mock_server.web.responder import Responder

if TYPE_CHECKING:
    from mock_server.control_wiring import ControlPlane


class MockServer:
    """The ASGI application with all its parts.

    There is no global state, so a process can run several servers. Raises InvalidValue if a file
    named in the settings cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: RealClock | None = None,
        sender: Sender | None = None,
        make_store: Callable[[SandboxTemplate], Store] | None = None,
    ) -> None:
        self.settings = settings
        clock = clock or SystemClock()
        self._catalogue = load_catalogue(settings)
        snapshot = chosen_snapshot(settings, self._catalogue)
        profile = chosen_profile(settings, self._catalogue)
        make_template = partial(
            SandboxTemplate,
            settings=settings.of_sandbox(profile),
            clock=settings.of_clock(),
            models=self._catalogue.models,
            fail_messages=self._catalogue.fail_messages,
            rules=chosen_rules(settings, self._catalogue),
            profile_rules=profile.rules,
        )
        choice = _store_choice(settings)
        if make_store is None:
            self._store = open_store(choice, lambda seed: make_template(seed=seed), clock)
        else:
            self._store = make_store(make_template(seed=choice.seed))
        self._pictures = TaskPictures(self._catalogue)
        self._dns = DnsResolver()
        self._hosts = HostLookup(self._dns)
        downloads = OutgoingLimit.of_downloads()
        self._references = ReferenceChecker(
            Egress(settings.egress),
            image_format,
            self._hosts,
            max_downloads=downloads.max_requests,
            max_idle=downloads.max_idle,
        )
        self._base_urls = BaseUrls(settings.public_url)
        self._origins = Origins(settings.allowed_host, settings.cors)
        self._api_keys = ApiKeys(self._store, settings.api_key)
        self._responder = Responder(
            clock, self._store, self._api_keys, has_provenance=settings.provenance
        )
        self._matcher = RuleMatcher(self._store, RegexPatternSearch())
        attempts = CallbackAttempts(
            self._store,
            self._matcher,
            clock=clock,
            make_sender=lambda: sender or self._http_sender(),
            encode_status=envelope.status,
            log_text=self._log_text,
        )
        self._callback_limit = OutgoingLimit.of_callbacks()
        limits = LaneLimits(in_all=self._callback_limit.max_requests)
        self._dispatcher = Dispatcher(self._store, attempts, clock=clock, limits=limits)
        self._store.when_due(self._dispatcher.wake)
        self._starting_snapshot = StartingSnapshot(
            snapshot, self._store, self._dispatcher, real_ms=self._responder.now_ms
        )
        self._pipeline = Pipeline(self._responder, self._matcher, clock)
        self._services = SubmissionServices(
            planner=Planner(self._catalogue),
            references=self._references,
            matcher=self._matcher,
            base_urls=self._base_urls,
            dispatcher=self._dispatcher,
            body_limit_bytes=settings.body_limit_bytes,
        )
        endpoints = self._endpoints()
        self.control = LateControl(lambda: self._control_plane(endpoints), self.why_not_ready)
        self.lifecycle = Lifecycle(
            start=self._start,
            begin_stopping=self.control.close,
            stop=(
                self._starting_snapshot.aclose,
                self._dispatcher.aclose,
                self._dns.aclose,
                self._references.aclose,
                self._pictures.aclose,
                self._store.aclose,
            ),
        )
        front_door = FrontDoor(
            self._pipeline,
            self._responder,
            RequestChecks(self._origins, self._responder.now_ms),
            endpoints=endpoints,
            unknown_models=self._unknown_models(),
            results=ResultEndpoint(
                self._store,
                self._responder,
                models=self._catalogue.models,
                paint=self._pictures.png,
            ),
            router=self.control,
            lifecycle=self.lifecycle,
        )
        self.direct = self._direct_path(endpoints, clock)
        self._app = self._with_cors(front_door)
        if settings.logs_requests:
            self._app = RequestLog(self._app, clock, secrets=settings.secrets)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self._app(scope, receive, send)

    def begin_stopping(self) -> None:
        """Mark the server as not ready. Requests that are cancelled from now on are no errors."""
        self.lifecycle.begin_stopping()

    def why_not_ready(self) -> str | None:
        """Return why the server cannot serve requests now, or None."""
        return self.lifecycle.not_ready or self._store.problem or self._starting_snapshot.problem

    @property
    def seed(self) -> int:
        """The random seed of new sandboxes. Before the start, it may not be final."""
        return self._store.seed

    def _direct_path(
        self, endpoints: Mapping[str, Endpoint], clock: RealClock
    ) -> DirectPath | None:
        """Return the direct path, unless responses need CORS headers."""
        if self.settings.cors:
            return None
        return DirectPath(endpoints, self._api_keys, self._responder, clock, self._store)

    def _with_cors(self, app: ASGIApp) -> ASGIApp:
        """Return the application for web pages of the origins that the settings allow."""
        if not self.settings.cors:
            return app
        return Cors(
            app,
            self.settings.cors,
            has_provenance=self.settings.provenance,
            date=lambda: self._responder.date(self._responder.now_ms()),
        )

    def _endpoints(self) -> dict[str, Endpoint]:
        """Return the provider's endpoints by path."""
        common = (self._store, self._api_keys, self._responder)
        endpoints: dict[str, Endpoint] = {BALANCE_PATH: BalanceEndpoint(*common)}
        for model in self._catalogue.models.values():
            endpoints[SUBMIT_PATH + model.id] = SubmitEndpoint(
                *common, model=model, services=self._services
            )
            endpoints[STATUS_PATH + model.id] = StatusEndpoint(
                *common,
                model=model,
                dispatcher=self._dispatcher,
            )
        return endpoints

    def _unknown_models(self) -> dict[str, Endpoint]:
        """Return the endpoints of models that are not served, by the prefix of their paths."""
        return {
            prefix: UnknownModelEndpoint(
                self._store,
                self._api_keys,
                self._responder,
                operation=operation,
                method=method,
                known=self._catalogue.models,
            )
            for prefix, operation, method in (
                (SUBMIT_PATH, Operation.SUBMIT, "POST"),
                (STATUS_PATH, Operation.STATUS, "GET"),
            )
        }

    def _control_plane(self, endpoints: Collection[str]) -> "ControlPlane":
        # These modules are slow to import; LateControl decides when to do it.
        from mock_server.control.dashboard.services import DashboardServices  # noqa: PLC0415
        from mock_server.control_wiring import ControlPlane  # noqa: PLC0415

        return ControlPlane(
            settings=self.settings,
            seed=lambda: self.seed,
            store=self._store,
            dispatcher=self._dispatcher,
            api_keys=self._api_keys,
            origins=self._origins,
            catalogue=self._catalogue,
            profiles=load_profiles(self.settings, self._catalogue),
            dashboard=DashboardServices(paint=self._pictures.png, submit=self._submit_of_page()),
            real_ms=self._responder.now_ms,
            why_not_ready=self.why_not_ready,
            endpoints=endpoints,
        )

    def _submit_of_page(self) -> ASGIApp:
        """Return the application behind the form for a new task in the dashboard."""
        endpoint = AuthenticatedSubmit(
            self._store,
            self._api_keys,
            self._responder,
            model=self._catalogue.first_model,
            services=self._services,
        )
        return lambda scope, receive, send: self._pipeline.run(endpoint, scope, receive, send)

    async def _start(self) -> None:
        """Prepare the store, and restore the snapshot that the settings name, if there is one.

        A store that cannot be reached now is no error: the server is not ready until it can.
        """
        await self._store.start()
        if self._store.is_durable and not self._store.owner:
            await resume(self._store, self._dispatcher, self._responder.now_ms())
        await self._starting_snapshot.restore()

    def _log_text(self, sandbox_id: str, text: str) -> str:
        """Return a text for the log, without the key of a sandbox."""
        own = self._api_keys.redactor(sandbox_id)
        return LogText(own, self.settings.secrets).sentence(text)

    def _http_sender(self) -> Sender:
        # Most servers answer several requests before they send a callback.
        from mock_server.runtime.sender import HttpSender  # noqa: PLC0415

        return HttpSender(
            Egress(self.settings.egress),
            timeout_s=self.settings.callback_timeout_ms / 1000,
            hosts=self._hosts,
            max_idle=self._callback_limit.max_idle,
        )


def _store_choice(settings: Settings) -> StoreChoice:
    seed = settings.seed
    return StoreChoice(
        address=settings.store,
        seed=random_seed() if seed is None else seed,
        is_seed_chosen=seed is not None,
        max_tasks=settings.max_tasks,
        max_journal_bytes=settings.journal_memory_bytes,
        sync=settings.store_sync,
        ttl_ms=settings.store_ttl_ms,
    )
