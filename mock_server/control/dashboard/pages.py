"""The pages of the dashboard, and the pictures of tasks that they show."""

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mock_server.control.browser_guard import EVERY_SANDBOX, BrowserGuard
from mock_server.control.call import Call
from mock_server.control.dashboard.rendering import accepts_html, base_url, html, static_file
from mock_server.control.dashboard.sandbox_list import SandboxList
from mock_server.control.dashboard.services import Paint
from mock_server.control.dashboard.sign_in import SignIn
from mock_server.control.errors import ControlError
from mock_server.control.query import SandboxOfPage
from mock_server.domain.catalogue import Catalogue
from mock_server.domain.errors import quoted
from mock_server.domain.faults.callback import CallbackFault
from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.faults.wire import WireFault
from mock_server.domain.operation import Operation
from mock_server.domain.sandbox_settings import PROFILES
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.task import TaskState, state_at
from mock_server.web.paths import SUBMIT_PATH


class PageQuery(SandboxOfPage):
    all: (
        Annotated[Literal["1"], Meta(description="List sandboxes without requests too.")] | None
    ) = None


class ImageQuery(SandboxOfPage):
    created: str | None = None


class Dashboard:
    def __init__(
        self,
        store: Store,
        sign_in: SignIn,
        sandbox_list: SandboxList,
        guard: BrowserGuard,
        *,
        real_ms: Callable[[], int],
        paint: Paint,
        catalogue: Catalogue,
    ) -> None:
        self._store = store
        self._sign_in = sign_in
        self._list = sandbox_list
        self._guard = guard
        self._real_ms = real_ms
        self._paint = paint
        self._fail_codes = list(catalogue.fail_messages)
        self._model = catalogue.first_model

    def calls(self) -> list[Call]:
        image = "/_mock/tasks/{task_id}/images/{number:int}"
        return [
            Call("GET", "/_mock/", self.page, caller="anyone"),
            Call("GET", "/_mock", self.add_slash, caller="anyone"),
            Call("GET", "/_mock/static/{name}", self.static, caller="anyone"),
            Call("GET", image, self.image),
        ]

    async def page(self, request: Request, query: PageQuery) -> Response:
        try:
            self._guard.check_origin(request)
        except ControlError as error:
            if not accepts_html(request):
                raise
            return html("problem.html", error.status, problem=error.detail)
        visible = self._guard.visible_sandbox(request)
        if visible is None:
            return self._sign_in.form()
        sees_all = visible == EVERY_SANDBOX
        wanted = query.sandbox if sees_all else visible
        if wanted is None:
            return await self._list.page(request, shows_unused=query.all is not None)
        if await self._store.read(wanted) is None:
            return html("missing.html", 404, missing=wanted, sees_all=sees_all)
        return html(
            "sandbox.html",
            sandbox=wanted,
            is_open=self._guard.is_open,
            sees_all=sees_all,
            submit_url=base_url(request) + SUBMIT_PATH + self._model.id,
            model=self._model,
            profiles=PROFILES,
            fail_codes=self._fail_codes,
            operations=list(Operation),
            states=list(TaskState),
            wire_faults=list(WireFault),
            meaning_faults=list(MeaningFault),
            callback_faults=list(CallbackFault),
        )

    async def image(
        self, sandbox: SandboxReader, query: ImageQuery, task_id: str, number: int
    ) -> Response:
        """Return a picture without recording a download in the journal.

        `created` is not used here. It makes the URL of each picture unique in the browser's cache,
        because a sandbox that was reset gives its new tasks the ids of the old ones.
        """
        view = sandbox.task(task_id, self._real_ms())
        if (
            view is None
            or not 1 <= number <= view.task.order.num_images
            or state_at(view.task, view.now_ms) is not TaskState.SUCCESS
        ):
            raise ControlError(404, "task_id: no finished task of this sandbox has this picture")
        png = await self._paint(view.task, number, sandbox.seed)
        headers = {"Cache-Control": "private, max-age=3600"}
        return Response(png, media_type="image/png", headers=headers)

    async def static(self, name: str) -> Response:
        found = static_file(name)
        if found is None:
            raise ControlError(404, f"name: {quoted(name)} does not exist")
        return found

    async def add_slash(self, request: Request, query: PageQuery) -> Response:
        parameters = request.url.query
        return RedirectResponse(f"/_mock/?{parameters}" if parameters else "/_mock/", 308)
