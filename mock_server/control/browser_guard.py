"""Check which hosts and origins a browser may use, and which sandbox a page may show.

A page of another site must not be able to call this server through the user's browser. The check of
`Host` prevents DNS rebinding. The check of `Origin` stops forms and scripts of other sites.

`--cors` does not change whom these checks let through. A page of an origin that it names may send
requests with an API key or the admin token: the page knows a secret. `RequestChecks` rejects pages
of all other origins.
"""

import hmac
from collections.abc import Callable

from starlette.requests import Request

from mock_server.control.errors import ControlError
from mock_server.domain.errors import quoted
from mock_server.web.origins import Origins

COOKIE = "apixo_mock_session"
EVERY_SANDBOX = "*"


class BrowserGuard:
    """Checks requests of browsers and their sessions.

    A session is a cookie that names a sandbox and is signed with the `secret`. Nothing is stored,
    so all processes that share the secret accept it. Another admin token ends all sessions.

    `is_open` is true if the server listens on loopback and has no admin token. Then the dashboard
    shows every sandbox without sign-in.
    """

    def __init__(
        self,
        *,
        is_open: bool,
        origins: Origins,
        secret: Callable[[], bytes],
        admin_token: str | None = None,
    ) -> None:
        self.is_open = is_open
        self._secret = secret
        self._admin_token = admin_token or ""
        self._origins = origins

    def check_origin(self, request: Request) -> None:
        """Raise ControlError (403) for a host or an origin that is not allowed."""
        host = request.headers.get("host", "")
        if not self._origins.serves(host):
            raise ControlError(
                403, f"Host: {quoted(host)} is not allowed; allow it with --allowed-host NAME"
            )
        origin = request.headers.get("origin")
        if origin is not None and not self._origins.trusts(origin, host):
            raise ControlError(
                403,
                f"Origin: pages of {quoted(origin)} may not call the control plane without an API"
                " key; send one, or trust the host of the page with --allowed-host NAME",
            )

    def open_session(self, sandbox: str) -> str:
        """Return the value of a cookie that gives access to a sandbox, or to EVERY_SANDBOX."""
        return f"{sandbox}.{self._signature(sandbox)}"

    def visible_sandbox(self, request: Request) -> str | None:
        """Return the id of the sandbox that the caller may see, EVERY_SANDBOX, or None."""
        if self.is_open:
            return EVERY_SANDBOX
        sandbox, _, signature = request.cookies.get(COOKIE, "").partition(".")
        expected = self._signature(sandbox)
        return sandbox if hmac.compare_digest(signature.encode(), expected.encode()) else None

    def check_sandbox(self, request: Request, sandbox_id: str) -> None:
        """Raise ControlError (401, 403) unless the caller may see this sandbox."""
        self.check_origin(request)
        if self.visible_sandbox(request) not in {EVERY_SANDBOX, sandbox_id}:
            raise ControlError(401, "sign in at /_mock/ with an API key or the admin token")

    def _signature(self, sandbox: str) -> str:
        signed = f"{sandbox}.{self._admin_token}"
        return hmac.new(self._secret(), signed.encode(), "sha256").hexdigest()
