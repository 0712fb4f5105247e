"""The composition root: the only module that knows every other one."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.catalogue_files import load_catalogue
from mock_server.control.authentication import Authenticator, is_loopback
from mock_server.control.browser_guard import BrowserGuard
from mock_server.control.call import Call, routes
from mock_server.control.changes import Profiles
from mock_server.control.dashboard.pages import Dashboard
from mock_server.control.errors import EXCEPTION_HANDLERS
from mock_server.control.openapi.document import control_document
from mock_server.control.resources.audit import AuditResource
from mock_server.control.resources.callbacks import CallbacksResource
from mock_server.control.resources.clock import ClockResource
from mock_server.control.resources.events import EventsResource
from mock_server.control.resources.journal import JournalResource
from mock_server.control.resources.next import NextResource
from mock_server.control.resources.rules import RulesResource
from mock_server.control.resources.sandbox import SandboxResource
from mock_server.control.resources.sandboxes import SandboxesResource
from mock_server.control.resources.server import Info, ServerResource
from mock_server.control.resources.snapshot import SnapshotResource
from mock_server.control.resources.tasks import TasksResource
from mock_server.domain.briefing import Briefing
from mock_server.domain.catalogue import Catalogue
from mock_server.domain.directives import without_directives
from mock_server.domain.journal import Operation
from mock_server.domain.ports import RealClock, Sender
from mock_server.domain.profiles import CALM
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.store import Sandbox, Store
from mock_server.domain.task import Task
from mock_server.images.gallery import Gallery
from mock_server.images.picture import Picture
from mock_server.images.sniff import image_format
from mock_server.profile_files import (
    chosen_profile,
    chosen_rules,
    chosen_snapshot,
    load_profiles,
)
from mock_server.runtime.clock import SystemClock
from mock_server.runtime.dispatcher import Dispatcher
from mock_server.runtime.egress import Egress
from mock_server.runtime.entropy import random_seed
from mock_server.runtime.pattern_search import RegexPatternSearch
from mock_server.runtime.reference_checker import ReferenceChecker
from mock_server.settings import Settings
from mock_server.settings.server import ShownServerSettings
from mock_server.store.memory_store import MemoryStore
from mock_server.version import __version__
from mock_server.web import envelope, provider
from mock_server.web.exchange import Exchange
from mock_server.web.openapi import provider_document
from mock_server.web.results import PREFIX as RESULTS
from mock_server.web.results import ResultAddresses, ResultEndpoint
from mock_server.web.tenants import Tenants

log = logging.getLogger("mock_server")


class MockServer:
    """The ASGI application: the provider's endpoints in front, control behind a router.

    Nothing is global: several servers in one process do not know of each other. Raises
    InvalidValue when a file that the settings name cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: RealClock | None = None,
        sender: Sender | None = None,
    ) -> None:
        self.settings = settings
        self.seed = random_seed() if settings.seed is None else settings.seed
        self._not_ready: str | None = "the server is starting"
        self._clock = clock or SystemClock()
        self._catalogue = load_catalogue(settings)
        self._snapshot = chosen_snapshot(settings, self._catalogue)
        profiles = load_profiles(self._catalogue)
        self._profile = chosen_profile(settings, profiles)
        self._profiles = Profiles(profiles, settings.of_sandbox(profiles[CALM]))
        self._store: Store = MemoryStore(
            seed=self.seed,
            settings=settings.of_sandbox(self._profile),
            clock=settings.of_clock(),
            rules=chosen_rules(settings, self._catalogue),
            profile_rules=self._profile.rules,
            max_tasks=settings.max_tasks,
        )
        self._references = ReferenceChecker(Egress(settings.egress), image_format)
        self._addresses = ResultAddresses(self.seed)
        self._gallery = Gallery()
        self._tenants = Tenants(self._store, settings.api_key)
        rules = RuleMatcher(RegexPatternSearch())
        self._exchange = Exchange(
            self._clock, self._store.tally, rules, has_provenance=settings.provenance
        )
        self._dispatcher = Dispatcher(
            clock=self._clock,
            make_sender=lambda: sender or self._http_sender(),
            encode_status=lambda task, now_ms: envelope.status(task, now_ms, self._addresses.urls),
            rules=rules,
        )
        self._endpoints, self._unknown_models = self._provider_endpoints()
        self._results = ResultEndpoint(
            self._store,
            self._exchange,
            addresses=self._addresses,
            models=self._catalogue.models,
            paint=self._paint,
        )
        self._router = self._control()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        path: str = scope["path"]
        endpoint = self._endpoints.get(path) or self._behind(path)
        try:
            await endpoint(scope, receive, send)
        except asyncio.CancelledError:
            if self._not_ready is None:
                raise
            log.warning("a request is cut off, for %s", self._not_ready)

    def begin_stopping(self) -> None:
        """Be no longer ready; requests that are cut off from now on are no errors."""
        self._not_ready = "the server is stopping"
        self._events.close()

    def _behind(self, path: str) -> ASGIApp:
        if path.startswith(RESULTS):
            return self._results
        for prefix, endpoint in self._unknown_models.items():
            if path.startswith(prefix) and "/" not in path[len(prefix) :] and path != prefix:
                return endpoint
        return self._dated_router

    async def _dated_router(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer behind the router, with the `Date` of the sandbox that is meant."""
        scope.setdefault("state", {})

        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                now_ms = real_ms = self._exchange.now_ms()
                sandbox: Sandbox | None = scope["state"].get("sandbox")
                if sandbox is not None:
                    now_ms = (await sandbox.clock(real_ms)).now_ms
                message["headers"] = [*message["headers"], self._exchange.date(now_ms)]
            await send(message)

        await self._router(scope, receive, send_dated)

    def _provider_endpoints(self) -> tuple[dict[str, ASGIApp], dict[str, ASGIApp]]:
        """Return the endpoints by path, and those for models that are not served by prefix."""
        tenants, exchange, wake = self._tenants, self._exchange, self._dispatcher.wake
        briefing = Briefing(self._catalogue)
        endpoints: dict[str, ASGIApp] = {
            provider.BALANCE_PATH: provider.BalanceEndpoint(tenants, exchange)
        }
        for model in self._catalogue.models.values():
            endpoints[provider.SUBMIT_PATH + model.id] = provider.SubmitEndpoint(
                tenants,
                exchange,
                model=model,
                briefing=briefing,
                references=self._references,
                wake=wake,
                deliver_now=self._dispatcher.deliver_now,
                public_url=self.settings.public_url,
                body_limit=self.settings.body_limit_bytes,
            )
            endpoints[provider.STATUS_PATH + model.id] = provider.StatusEndpoint(
                tenants, exchange, model=model, result_urls=self._addresses.urls, wake=wake
            )
        unknown: dict[str, ASGIApp] = {
            prefix: provider.UnknownModelEndpoint(
                tenants, exchange, operation=operation, method=method, known=self._catalogue.models
            )
            for prefix, operation, method in (
                (provider.SUBMIT_PATH, Operation.SUBMIT, "POST"),
                (provider.STATUS_PATH, Operation.STATUS, "GET"),
            )
        }
        return endpoints, unknown

    def _control(self) -> Starlette:
        settings, store, dispatcher = self.settings, self._store, self._dispatcher
        real_ms = self._exchange.now_ms
        guard = BrowserGuard(
            is_open=is_loopback(settings.host) and settings.admin_token is None,
            allowed_hosts=settings.allowed_host,
        )
        authenticator = Authenticator(
            store,
            self._tenants,
            guard,
            real_ms=real_ms,
            host=settings.host,
            admin_token=settings.admin_token,
        )
        self._events = EventsResource(authenticator, real_ms=real_ms)
        fail_messages, result_urls = self._catalogue.fail_messages, self._addresses.urls
        default_model = next(iter(self._catalogue.models.values()))
        calls: list[Call] = []
        resources = (
            ServerResource(
                store,
                real_ms=real_ms,
                info=self._info,
                document=lambda: control_document(calls, fail_messages),
                why_not_ready=lambda: self._not_ready,
            ),
            SandboxesResource(store, real_ms=real_ms, drop_all=lambda: dispatcher.drop_all(store)),
            SandboxResource(
                dispatcher,
                real_ms=real_ms,
                default_generation_ms=round(default_model.timing.generation_time_s * 1000),
                profiles=self._profiles,
            ),
            SnapshotResource(
                dispatcher, self._catalogue, real_ms=real_ms, adopt=self._addresses.adopt
            ),
            ClockResource(dispatcher, real_ms=real_ms),
            TasksResource(
                dispatcher, real_ms=real_ms, result_urls=result_urls, fail_messages=fail_messages
            ),
            CallbacksResource(),
            RulesResource(fail_messages),
            NextResource(fail_messages),
            JournalResource(real_ms=real_ms),
            AuditResource(
                authenticator,
                real_ms=real_ms,
                result_urls=result_urls,
                base_url=settings.base_url,
                seed=self.seed,
            ),
            self._events,
            Dashboard(store, authenticator, guard, real_ms=real_ms, paint=self._paint),
        )
        calls += [call for resource in resources for call in resource.calls()]
        router = Starlette(
            routes=[
                *routes(calls, authenticator),
                Route("/openapi.json", self._openapi, methods=["GET"]),
            ],
            exception_handlers=EXCEPTION_HANDLERS,
            lifespan=self._lifespan,
        )
        router.router.redirect_slashes = False  # a path is known or it is not
        return router

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self._restore()
        self._not_ready = None
        yield
        self.begin_stopping()
        await self._dispatcher.close(await self._store.sandboxes())
        await self._references.aclose()
        self._gallery.close()

    async def _restore(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        sandbox = await self._store.sandbox(
            snapshot.id, is_broke=False, real_ms=self._exchange.now_ms()
        )
        self._addresses.adopt(snapshot.origin, snapshot.seed)
        await self._dispatcher.restore(sandbox, snapshot, self._catalogue.fail_messages)
        self._snapshot = None

    async def _openapi(self, _: Request) -> Response:
        document = provider_document(self._catalogue, strict=self.settings.strict)
        return Response(msgspec.json.encode(document), media_type="application/json")

    async def _paint(self, task: Task, number: int) -> bytes:
        return await self._gallery.png(picture_of(task, number, self._catalogue, self._addresses))

    def _info(self) -> Info:
        settings, model = self.settings, next(iter(self._catalogue.models.values()))
        return Info(
            version=__version__,
            base_url=settings.public_url or settings.base_url,
            seed=self.seed,
            settings=ShownServerSettings(**settings.in_effect(self._profile, model).shown()),
            profile=self._profile.name,
        )

    def _http_sender(self) -> Sender:
        from mock_server.runtime.sender import HttpSender  # noqa: PLC0415  # httpx is slow to import

        return HttpSender(
            Egress(self.settings.egress), timeout_s=self.settings.callback_timeout_ms / 1000
        )


def picture_of(
    task: Task, number: int, catalogue: Catalogue, addresses: ResultAddresses
) -> Picture:
    """Say what the n-th picture of a task shows (RES-2)."""
    ratio = catalogue.models[task.model_id].ratio(task.ratio)
    return Picture(
        prompt=without_directives(task.prompt) if task.has_directives else task.prompt,
        width=ratio.width,
        height=ratio.height,
        ratio=ratio.name,
        number=number,
        count=task.num_images,
        seed=bytes.fromhex(addresses.token(task, number)),
    )
