"""Control's judgement of the caller's client: `GET /_mock/audit`."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.control.caller import Callers
from mock_server.control.journal_view import entry_view
from mock_server.control.replies import Refused, resource
from mock_server.control.views import task_view
from mock_server.domain.journal import Entry
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.store import Sandbox
from mock_server.domain.task import Task
from mock_server.web.envelope import ResultUrls

FORMATS = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "junit": "application/xml",
}
_ACCEPTED = {"text/html": "html", "application/xml": "junit", "text/xml": "junit"}
_NO_SCRIPT_FROM_ELSEWHERE = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class AuditRoutes:
    def __init__(
        self, callers: Callers, *, result_urls: ResultUrls, base_url: str, seed: int
    ) -> None:
        self._callers = callers
        self._result_urls = result_urls
        self._base_url = base_url
        self._seed = seed

    async def show(self, request: Request) -> Response:
        return await self._shown(await self._callers.sandbox(request), _format(request))

    async def page(self, request: Request) -> Response:
        """Show it to the dashboard, which has no key."""
        return await self._shown(await self._callers.sandbox(request), "html")

    async def _shown(self, sandbox: Sandbox, shown_as: str) -> Response:
        real_ms = self._callers.real_ms()
        tasks, now_ms = await sandbox.tasks(real_ms)
        told = await run_in_threadpool(
            self._told,
            sandbox,
            await sandbox.entries(),
            list(tasks),
            now_ms,
            (await sandbox.counters(real_ms)).journal_dropped,
            is_manual=(await sandbox.clock(real_ms)).mode == "manual",
            shown_as=shown_as,
        )
        return Response(
            told,
            headers={
                "Content-Type": FORMATS[shown_as],
                "Content-Security-Policy": _NO_SCRIPT_FROM_ELSEWHERE,
                "X-Content-Type-Options": "nosniff",
            },
        )

    def routes(self) -> list[Route]:
        return [
            resource("/_mock/audit", query=("format",), GET=self.show),
            resource("/_mock/audit/page", query=("sandbox",), GET=self.page),
        ]

    def _told(
        self,
        sandbox: Sandbox,
        entries: Sequence[tuple[int, Entry]],
        tasks: Sequence[Task],
        now_ms: int,
        dropped: int,
        *,
        is_manual: bool,
        shown_as: str,
    ) -> bytes:
        from contract_tests.client.reports.files import encode_audit  # noqa: PLC0415  # as below
        from contract_tests.client.sandbox import audit_of  # noqa: PLC0415  # few need it

        seen: dict[str, Any] = {
            "journal": {
                "entries": [entry_view(*each) for each in entries],
                "dropped": dropped,
            },
            "tasks": [task_view(task, now_ms, self._result_urls) for task in tasks],
        }
        bare = msgspec.json.decode(self._callers.without_key(sandbox, msgspec.json.encode(seen)))
        report = audit_of(
            bare["journal"],
            bare["tasks"],
            base_url=self._base_url,
            is_manual=is_manual,
            seed=self._seed,
        )
        return encode_audit(report, shown_as)


def _format(request: Request) -> str:
    """Return what is asked for, by the query or else by `Accept`. Raises Refused."""
    written = request.query_params.get("format")
    if written is None:
        accepted = request.headers.get("accept", "").split(",")
        kinds = (each.partition(";")[0].strip().lower() for each in accepted)
        return next((_ACCEPTED[kind] for kind in kinds if kind in _ACCEPTED), "json")
    if written not in FORMATS:
        raise Refused(400, f"format: is unknown{did_you_mean(written, list(FORMATS))}")
    return written
