"""Reject requests that no path may serve: of foreign web pages, or with an ambiguous head."""

import re
from collections.abc import Callable

from starlette.types import Scope

from mock_server.domain.errors import quoted
from mock_server.web import envelope
from mock_server.web.answer import Answer
from mock_server.web.origins import Origins

_CONTROL = "/_mock"
# A proxy may have checked the first of two, and the server would use the last one.
_SENT_ONCE = {b"host": "Host", b"authorization": "Authorization"}


class RequestChecks:
    """Checks each request before an endpoint is chosen. `now_ms` reads the real clock."""

    def __init__(self, origins: Origins, now_ms: Callable[[], int]) -> None:
        self._origins = origins
        self._now_ms = now_ms

    def rejection(self, scope: Scope) -> Answer | None:
        """Return the response to a request that must not be served, or None.

        A page that uses DNS rebinding sends its own origin with each request that changes
        something, so the check of `Origin` on every path stops it.
        """
        found: dict[bytes, bytes] = {}
        origins: list[bytes] = []
        for name, value in scope["headers"]:
            if name in _SENT_ONCE:
                if name in found:
                    detail = f"{_SENT_ONCE[name]}: must be sent once"
                    return self._answer(400, "Invalid request", detail)
                found[name] = value
            elif name == b"origin":
                origins.append(value)
        host = found.get(b"host", b"").decode("latin-1")
        for each in origins:
            origin = each.decode("latin-1")
            if not self._origins.admits(origin, host):
                return self._answer(403, "Forbidden", self._advice(origin, host))
        if _is_encoded_control_path(scope):
            detail = f"{quoted(scope['path'])}: write {_CONTROL}/ without percent-encoding"
            return self._answer(404, "Not found", detail)
        return None

    def _advice(self, origin: str, host: str) -> str:
        shown = origin if re.fullmatch("[!-~]{1,200}", origin) else "ORIGIN"
        advice = f"allow them with --cors {shown}"
        if self._origins.is_own_page(origin, host):
            advice = "if this is the name of the server, start it with --allowed-host NAME"
        return f"Origin: web pages of {quoted(origin)} may not call this server; {advice}"

    def _answer(self, status: int, message: str, detail: str) -> Answer:
        return Answer(status, envelope.error(status, message, detail), self._now_ms())


def _is_encoded_control_path(scope: Scope) -> bool:
    """Tell whether a path of the control plane is written so that a proxy may not recognize it."""
    path: str = scope["path"]
    if path != _CONTROL and not path.startswith(f"{_CONTROL}/"):
        return False
    raw = scope.get("raw_path") or path.encode()
    return raw != _CONTROL.encode() and not raw.startswith(f"{_CONTROL}/".encode())
