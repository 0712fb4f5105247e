"""The list of all sandboxes, and the form that finds the sandbox of an API key."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mock_server.control.all_counters import all_counters
from mock_server.control.authentication import Authenticator
from mock_server.control.browser_guard import EVERY_SANDBOX, BrowserGuard
from mock_server.control.call import Call
from mock_server.control.dashboard.forms import form_fields
from mock_server.control.dashboard.rendering import base_url, html
from mock_server.control.dashboard.sign_in import SignIn, problem_of
from mock_server.control.resources.sandboxes import by_activity
from mock_server.domain.results import Counters
from mock_server.domain.store import SandboxReader, Store

MAX_LISTED = 200
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))


class SandboxList:
    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        sign_in: SignIn,
        guard: BrowserGuard,
        *,
        real_ms: Callable[[], int],
        submit_path: str,
    ) -> None:
        self._store = store
        self._authenticator = authenticator
        self._sign_in = sign_in
        self._guard = guard
        self._real_ms = real_ms
        self._submit_path = submit_path

    def calls(self) -> list[Call]:
        return [Call("POST", "/_mock/find", self.find, caller="anyone")]

    async def find(self, request: Request) -> Response:
        """Redirect to the page of the sandbox whose API key is in the body of the request."""
        self._guard.check_origin(request)
        if self._guard.visible_sandbox(request) != EVERY_SANDBOX:
            return self._sign_in.form(401)
        fields = await form_fields(request)
        key = fields.get("key", "")
        sandbox = await self._authenticator.sandbox_of_key(key)
        if sandbox is None:
            return await self.page(request, status=401, key_problem=problem_of(key))
        return RedirectResponse(f"/_mock/?sandbox={sandbox.id}", 303)

    async def page(
        self,
        request: Request,
        *,
        shows_unused: bool = False,
        status: int = 200,
        key_problem: str = "",
    ) -> Response:
        """Return the list, the last used sandbox first.

        Sandboxes without requests are only counted, unless `shows_unused`.
        """
        everything = by_activity(await self._store.sandboxes())
        found = [each for each in everything if shows_unused or each.has_requests]
        real_ms = self._real_ms()
        shown = all_counters(self._store, found[:MAX_LISTED], real_ms)
        return html(
            "sandboxes.html",
            status,
            sandboxes=[_row(*each, real_ms) async for each in shown],
            found_count=len(found),
            hidden_count=len(everything) - len(found),
            shows_unused=shows_unused,
            key_problem=key_problem,
            submit_url=base_url(request) + self._submit_path,
        )


def _row(sandbox: SandboxReader, counters: Counters, real_ms: int) -> dict[str, Any]:
    return {
        "id": sandbox.id,
        "age": age(real_ms - sandbox.used_ms),
        "counters": counters,
        "requests": sum(counters.responses.values()),
        "rejected": sum(count for status, count in counters.responses.items() if status >= 400),
    }


def age(elapsed_ms: int) -> str:
    """Return a duration in its largest unit, such as `3 min`."""
    elapsed_s = max(0, elapsed_ms) // 1000
    for unit, size_s in _UNITS:
        if elapsed_s >= size_s:
            return f"{elapsed_s // size_s} {unit}"
    return f"{elapsed_s} s"
