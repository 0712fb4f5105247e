"""The composition of the control plane: which resources it has, and what each of them gets.

It takes as long to import as the rest of the server, so `late_control.py` imports it after the
start.
"""

from collections.abc import Callable, Iterable

from starlette.applications import Starlette
from starlette.types import ASGIApp

from mock_server.control.authentication import Authenticator
from mock_server.control.browser_guard import BrowserGuard
from mock_server.control.call import Call, routes
from mock_server.control.dashboard.new_task import NewTask
from mock_server.control.dashboard.pages import Dashboard
from mock_server.control.dashboard.sandbox_list import SandboxList
from mock_server.control.dashboard.services import DashboardServices
from mock_server.control.dashboard.sign_in import SignIn
from mock_server.control.errors import exception_handlers
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
from mock_server.control.rule_reader import RuleReader
from mock_server.control.settings_types import ShownServerSettings
from mock_server.domain.addresses import is_loopback
from mock_server.domain.catalogue import Catalogue
from mock_server.domain.dispatching import CallbackDispatcher
from mock_server.domain.profiles import Profiles
from mock_server.domain.store import Store
from mock_server.settings import Settings
from mock_server.version import __version__
from mock_server.web.api_keys import ApiKeys
from mock_server.web.base_urls import BaseUrls
from mock_server.web.origins import Origins
from mock_server.web.path_hints import PathHints
from mock_server.web.paths import SUBMIT_PATH
from mock_server.web.request import LocalAddress
from mock_server.web.start_page import StartPage


class ControlPlane:
    """The resources under `/_mock`, and the start page.

    `endpoints` are the paths that other modules serve. Responses to unknown paths suggest
    them. `real_ms` reads the server's real clock.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        seed: Callable[[], int],
        store: Store,
        dispatcher: CallbackDispatcher,
        api_keys: ApiKeys,
        origins: Origins,
        catalogue: Catalogue,
        profiles: Profiles,
        dashboard: DashboardServices,
        real_ms: Callable[[], int],
        why_not_ready: Callable[[], str | None],
        endpoints: Iterable[str],
    ) -> None:
        base_urls = BaseUrls(settings.public_url)
        guard = BrowserGuard(
            is_open=is_loopback(settings.host) and settings.admin_token is None,
            origins=origins,
            secret=lambda: store.secret,
            admin_token=settings.admin_token,
        )
        self._authenticator = authenticator = Authenticator(
            store,
            api_keys,
            guard,
            real_ms=real_ms,
            host=settings.host,
            admin_token=settings.admin_token,
        )
        fail_messages = catalogue.fail_messages
        model = catalogue.first_model
        submit_path = SUBMIT_PATH + model.id
        sign_in = SignIn(authenticator, guard)
        sandbox_list = SandboxList(
            store, authenticator, sign_in, guard, real_ms=real_ms, submit_path=submit_path
        )
        rule_reader = RuleReader(store, fail_messages, authenticator.redactor)
        self._events = EventsResource(store, authenticator, real_ms=real_ms)
        resources = (
            ServerResource(
                store,
                real_ms=real_ms,
                info=lambda: Info(
                    version=__version__,
                    base_url=settings.public_url or settings.base_url,
                    seed=seed(),
                    settings=ShownServerSettings(
                        **settings.in_effect(profiles.chosen, model).shown()
                    ),
                    profile=profiles.chosen.name,
                ),
                document=lambda request: control_document(
                    self._calls,
                    fail_messages,
                    base_urls.of(LocalAddress.of(request.scope), dict(request.headers.raw)),
                ),
                why_not_ready=why_not_ready,
            ),
            SandboxesResource(store, real_ms=real_ms),
            SandboxResource(
                store,
                real_ms=real_ms,
                default_generation_ms=model.generation_time_ms,
                profiles=profiles,
            ),
            SnapshotResource(store, dispatcher, authenticator, catalogue, real_ms=real_ms),
            ClockResource(store, dispatcher, real_ms=real_ms),
            TasksResource(
                store,
                dispatcher,
                real_ms=real_ms,
                fail_messages=fail_messages,
            ),
            CallbacksResource(),
            RulesResource(store, rule_reader, real_ms=real_ms),
            NextResource(store, rule_reader, real_ms=real_ms),
            JournalResource(store, "https" if settings.uses_tls else "http"),
            AuditResource(
                authenticator,
                real_ms=real_ms,
                base_url=settings.base_url,
                seed=seed,
            ),
            self._events,
            sign_in,
            sandbox_list,
            NewTask(dashboard.submit, submit_path),
            Dashboard(
                store,
                sign_in,
                sandbox_list,
                guard,
                real_ms=real_ms,
                paint=dashboard.paint,
                catalogue=catalogue,
            ),
        )
        self._calls: list[Call] = [call for each in resources for call in each.calls()]

        page = StartPage(
            catalogue,
            base_urls,
            strict=settings.strict,
            general_ratios=settings.general_parameters == "accept",
        )
        self.routes = [*page.routes(), *routes(self._calls, self._authenticator, store)]
        hints = PathHints([*endpoints, *(route.path for route in self.routes)])
        router = Starlette(
            routes=self.routes, exception_handlers=exception_handlers(hints.suggestion)
        )
        router.router.redirect_slashes = False  # A path with an additional slash is unknown.
        self.app: ASGIApp = router

    def close(self) -> None:
        """End all event streams and reject new ones. Any thread may call this."""
        self._events.close()
