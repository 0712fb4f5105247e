"""Log one line for each request at the level info."""

import logging
from collections.abc import Awaitable, Sequence
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.domain.ports import RealClock
from mock_server.web.cors import blocked_page
from mock_server.web.log_text import LogText
from mock_server.web.request import NOTE, RequestNote

log = logging.getLogger("mock_server.requests")

_CONTROL = "/_mock"
# Monitors ask for the first three, and the dashboard loads itself again every few seconds.
_REPEATED = frozenset({"/_mock/health", "/_mock/ready", "/_mock/metrics", "/_mock/", "/_mock"})

is_enabled_for = log.isEnabledFor  # Whether requests are logged at a level.


class RequestLog:
    """Passes requests on to an application and logs each of them.

    A request that nobody wants to see in the log costs one check. `secrets` are never logged.
    """

    def __init__(self, app: ASGIApp, clock: RealClock, *, secrets: Sequence[str]) -> None:
        self._app = app
        self._now_ns = clock.now_ns
        self._secrets = secrets

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if not is_enabled_for(logging.INFO) or scope["type"] != "http":
            return self._app(scope, receive, send)
        level = _level(scope)
        if not is_enabled_for(level):
            return self._app(scope, receive, send)
        return self._logged(level, scope, receive, send)

    async def _logged(self, level: int, scope: Scope, receive: Receive, send: Send) -> None:
        began_ns = self._now_ns()
        note = scope[NOTE] = RequestNote()
        start: Message = {"status": None, "headers": []}
        is_written = False

        def write(body: bytes = b"") -> None:
            nonlocal is_written
            if not is_written:
                is_written = True
                duration_ms = (self._now_ns() - began_ns) / 1_000_000
                self._write(level, scope, note, start, duration_ms, body)

        async def send_logged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif not message.get("more_body", False):
                # The line is written first, so that a client that has its response can read it.
                write(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_logged)
        except Exception:
            start["status"] = start["status"] or 500  # The HTTP server sends this response.
            raise
        finally:
            write()

    def _write(
        self,
        level: int,
        scope: Scope,
        note: RequestNote,
        start: Message,
        duration_ms: float,
        body: bytes,
    ) -> None:
        status = start["status"]
        text = LogText.of_request(scope["headers"], self._secrets)
        members: dict[str, Any] = {
            "method": scope["method"],
            "path": text.target(scope["path"], scope["query_string"]),
            "status": status,
            "duration_ms": round(duration_ms, 1),
            "sandbox": note.sandbox or scope.get("state", {}).get("sandbox_id", ""),
            "task": text.target(note.task, b""),
            "rule": text.sentence(note.rule),
            "fault": note.fault,
            "error": text.sentence(_error(scope, status, body) or blocked_page(scope, start)),
        }
        shown = {name: value for name, value in members.items() if value != ""}
        log.log(level, "%s", _line(shown), extra={"members": shown})


def _level(scope: Scope) -> int:
    """Return the level of a request: what a page or a monitor repeats is for debugging only."""
    path = scope["path"]
    if not path.startswith(_CONTROL) or scope["method"] not in {"GET", "HEAD"}:
        return logging.INFO
    is_of_dashboard = (
        path.startswith("/_mock/static/")
        or b"sandbox=" in scope["query_string"]
        or any(name == b"mock-sandbox" for name, _ in scope["headers"])
    )
    return logging.DEBUG if is_of_dashboard or path in _REPEATED else logging.INFO


def _line(members: dict[str, Any]) -> str:
    status = "no response" if members["status"] is None else members["status"]
    parts = [f"{members['method']} {members['path']} {status} {members['duration_ms']} ms"]
    parts += [f"{name}={members[name]}" for name in ("sandbox", "task", "rule") if name in members]
    parts += [f'fault="{members["fault"]}"'] if "fault" in members else []
    line = " ".join(parts)
    return f"{line}: {members['error']}" if "error" in members else line


def _error(scope: Scope, status: int | None, body: bytes) -> str:
    """Return the detail of an error response, without the request that the line names already."""
    if status is None or status < 400:
        return ""
    try:
        detail = msgspec.json.decode(body)["data"]["error"]
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
        return ""  # A response with a fault, or one of another form.
    return str(detail).removeprefix(f"{scope['method']} {scope['path'][:200]}: ")
