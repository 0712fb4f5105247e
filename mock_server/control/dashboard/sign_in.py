"""The sign-in of the dashboard: with an API key for one sandbox, with the admin token for all.

The key or the token is sent in the body of a POST, so it never becomes part of a URL or a log.
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mock_server.control.authentication import Authenticator
from mock_server.control.browser_guard import COOKIE, EVERY_SANDBOX, BrowserGuard
from mock_server.control.call import Call
from mock_server.control.dashboard.forms import form_fields
from mock_server.control.dashboard.rendering import accepts_html, html
from mock_server.control.errors import ControlError
from mock_server.domain.api_key import MAX_KEY_LENGTH

REJECTED_KEY = "The server does not accept this API key."
TOO_LONG_KEY = f"An API key must have at most {MAX_KEY_LENGTH} characters."
REJECTED_TOKEN = "This is not the admin token of the server."  # noqa: S105  # a message


def problem_of(key: str) -> str:
    """Return why the server rejects an API key."""
    return TOO_LONG_KEY if len(key) > MAX_KEY_LENGTH else REJECTED_KEY


class SignIn:
    def __init__(self, authenticator: Authenticator, guard: BrowserGuard) -> None:
        self._authenticator = authenticator
        self._guard = guard

    def calls(self) -> list[Call]:
        path = "/_mock/session"
        return [
            Call("GET", path, self.show, caller="anyone"),
            Call("POST", path, self.open, caller="anyone"),
        ]

    async def show(self, request: Request) -> Response:
        """Return the form, also to a caller who has signed in and wants another sandbox."""
        self._guard.check_origin(request)
        if self._guard.is_open:
            return RedirectResponse("/_mock/", 303)
        return self.form()

    async def open(self, request: Request) -> Response:
        """Open the sandbox of an API key, or start the session of an administrator."""
        try:
            self._guard.check_origin(request)
        except ControlError as error:
            if not accepts_html(request):
                raise
            return self.form(error.status, problem=error.detail)
        form = await form_fields(request)
        if "token" in form:
            if not self._authenticator.is_admin_token(form["token"]):
                return self.form(401, token_problem=REJECTED_TOKEN)
            return self._session(request, EVERY_SANDBOX)
        key = form.get("key", "")
        if self._authenticator.is_admin_token(key):
            return self._session(request, EVERY_SANDBOX)
        sandbox = await self._authenticator.sandbox_of_key(key)
        if sandbox is None:
            return self.form(401, key_problem=problem_of(key))
        return self._session(request, sandbox.id)

    def form(self, status: int = 200, **problems: str) -> Response:
        has_token = self._authenticator.has_admin_token
        return html("sign_in.html", status, has_token=has_token, **problems)

    def _session(self, request: Request, sandbox: str) -> Response:
        response = RedirectResponse("/_mock/", 303)
        response.set_cookie(
            COOKIE,
            self._guard.open_session(sandbox),
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="strict",
            path="/_mock",
        )
        return response
