"""The dashboard: its pages, scripts, pictures and sign-in."""

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mock_server.control.authentication import Authenticator
from mock_server.control.browser_guard import COOKIE, EVERY_SANDBOX, BrowserGuard
from mock_server.control.call import Call
from mock_server.control.decoding import MAX_BODY_BYTES
from mock_server.control.errors import ControlError
from mock_server.control.query import SandboxOfPage
from mock_server.domain.commands import ReadCounters
from mock_server.domain.errors import quoted
from mock_server.domain.sandbox_settings import PROFILES
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.task import Task, TaskState, state_at
from mock_server.web.body import BodyTooLarge, read_body

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_MAX_LISTED = 200

Paint = Callable[[Task, int], Awaitable[bytes]]


class ImageQuery(SandboxOfPage):
    created: str | None = None


class Dashboard:
    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        guard: BrowserGuard,
        *,
        real_ms: Callable[[], int],
        paint: Paint,
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._guard = guard
        self._real_ms = real_ms
        self._paint = paint

    def calls(self) -> list[Call]:
        image = "/_mock/tasks/{task_id}/images/{number:int}"
        return [
            Call("GET", "/_mock/", self.page, caller="anyone"),
            Call("GET", "/_mock", self.add_slash, caller="anyone"),
            Call("POST", "/_mock/session", self.sign_in, caller="anyone"),
            Call("GET", "/_mock/static/{name}", self.static, caller="anyone"),
            Call("GET", image, self.image),
        ]

    async def page(self, request: Request, query: SandboxOfPage) -> Response:
        self._guard.check_origin(request)
        visible = self._guard.visible_sandbox(request)
        if visible is None:
            return _html("sign_in.html", problem="")
        sees_all = visible == EVERY_SANDBOX
        wanted = query.sandbox if sees_all else visible
        if wanted is not None and await self._store.read(wanted) is not None:
            return _html("sandbox.html", sandbox=wanted, profiles=PROFILES)
        return _html(
            "sandboxes.html",
            200 if wanted is None else 404,
            sandboxes=await self._listed() if sees_all else [],
            missing=wanted,
        )

    async def sign_in(self, request: Request) -> Response:
        self._guard.check_origin(request)
        try:
            body = await read_body(dict(request.headers.raw), request.receive, MAX_BODY_BYTES)
        except BodyTooLarge as error:
            raise ControlError(413, f"body: must have at most {MAX_BODY_BYTES} bytes") from error
        key = parse_qs(body.decode("utf-8", "replace")).get("key", [""])[0].strip()
        if self._authenticator.is_admin_token(key):
            return self._session(EVERY_SANDBOX)
        sandbox = await self._authenticator.sandbox_of_key(key)
        if sandbox is None:
            return _html("sign_in.html", 401, problem="The server does not accept this key.")
        return self._session(sandbox.id)

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
            or not 1 <= number <= view.task.num_images
            or state_at(view.task, view.now_ms) is not TaskState.SUCCESS
        ):
            raise ControlError(404, "task_id: no finished task of this sandbox has this picture")
        png = await self._paint(view.task, number)
        headers = {"Cache-Control": "private, max-age=3600"}
        return Response(png, media_type="image/png", headers=headers)

    async def static(self, name: str) -> Response:
        found = _static().get(name)
        if found is None:
            raise ControlError(404, f"name: {quoted(name)} does not exist")
        content, kind = found
        return Response(content, media_type=kind, headers=_HEADERS)

    async def add_slash(self, request: Request, query: SandboxOfPage) -> Response:
        parameters = request.url.query
        return RedirectResponse(f"/_mock/?{parameters}" if parameters else "/_mock/", 308)

    async def _listed(self) -> list[dict[str, Any]]:
        sandboxes = sorted(await self._store.sandboxes(), key=lambda each: each.id)
        real_ms = self._real_ms()
        return [
            {
                "id": sandbox.id,
                "counters": await self._store.execute(sandbox.id, ReadCounters(real_ms=real_ms)),
            }
            for sandbox in sandboxes[:_MAX_LISTED]
        ]

    def _session(self, sandbox: str) -> Response:
        response = RedirectResponse("/_mock/", 303)
        response.set_cookie(
            COOKIE,
            self._guard.open_session(sandbox),
            httponly=True,
            samesite="strict",
            path="/_mock",
        )
        return response


def _html(template: str, status: int = 200, **values: Any) -> Response:
    text = _templates().get_template(template).render(**values)
    return Response(text, status, media_type="text/html; charset=utf-8", headers=_HEADERS)


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415  # slow to import

    return Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True
    )


@cache
def _static() -> dict[str, tuple[bytes, str]]:
    return {
        path.name: (path.read_bytes(), _KINDS[path.suffix])
        for path in (_HERE / "static").iterdir()
        if path.suffix in _KINDS
    }
