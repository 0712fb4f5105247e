"""Which hosts and origins a browser may come from, and whose sandbox a page may show.

A page of another site must not reach a server on this machine through its reader's browser: not
by a name that it points here, and not by a form or a script.
"""

from collections import OrderedDict
from collections.abc import Collection
from ipaddress import ip_address
from secrets import token_urlsafe
from urllib.parse import urlsplit

from starlette.requests import Request

from mock_server.control.errors import ControlError

COOKIE = "apixo_mock_session"
EVERY_SANDBOX = "*"
_MAX_SESSIONS = 1000


class BrowserGuard:
    """`is_open`: bound to loopback without an admin token, so that whoever is here may look."""

    def __init__(self, *, is_open: bool, allowed_hosts: Collection[str]) -> None:
        self.is_open = is_open
        self._allowed = {host.casefold() for host in allowed_hosts}
        self._sessions: OrderedDict[str, str] = OrderedDict()

    def check_origin(self, request: Request) -> None:
        """Raise ControlError (403) for a host or an origin that is not ours."""
        host = request.headers.get("host", "")
        if not self._is_known(_name(f"//{host}")):
            raise ControlError(
                403, f"the host {host[:100]!r} is unknown here; allow it with --allowed-host NAME"
            )
        origin = request.headers.get("origin")
        if origin is not None and not self._is_known(_name(origin)):
            raise ControlError(403, f"a page of {origin[:100]!r} may not act here")

    def open_session(self, sandbox: str) -> str:
        """Return the value of a cookie that lets in, to one sandbox or to every one."""
        token = token_urlsafe(32)
        self._sessions[token] = sandbox
        if len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def admitted(self, request: Request) -> str | None:
        """Return what the caller may look at: one sandbox's id, EVERY_SANDBOX, or nothing."""
        if self.is_open:
            return EVERY_SANDBOX
        return self._sessions.get(request.cookies.get(COOKIE, ""))

    def check_sandbox(self, request: Request, sandbox_id: str) -> None:
        """Raise ControlError (401, 403) unless the caller may look at this sandbox."""
        self.check_origin(request)
        if self.admitted(request) not in {EVERY_SANDBOX, sandbox_id}:
            raise ControlError(401, "sign in at /_mock/ with an API key or the admin token")

    def _is_known(self, name: str) -> bool:
        if name in self._allowed or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            ip_address(name)
        except ValueError:
            return bool(name) and "." not in name and ":" not in name  # a container's name
        return True


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").casefold()
    except ValueError:
        return ""
