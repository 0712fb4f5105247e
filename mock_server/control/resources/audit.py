"""What the caller's client does well and badly, judged from its journal."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mock_server.control.answers import Count
from mock_server.control.authentication import Authenticator
from mock_server.control.call import Call
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.query import SandboxOfPage
from mock_server.control.resources.journal import JournalPage
from mock_server.control.resources.tasks import TaskSummary
from mock_server.domain.journal import Entry
from mock_server.domain.store import Sandbox
from mock_server.domain.task import Task
from mock_server.web.envelope import ResultUrls

Format = Literal["json", "html", "junit"]

_MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "junit": "application/xml",
}
_ACCEPTED: dict[str, Format] = {
    "text/html": "html",
    "application/xml": "junit",
    "text/xml": "junit",
}
_NO_SCRIPT_FROM_ELSEWHERE = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Verdict = Literal["FAIL", "ERROR", "INCONCLUSIVE", "WARN", "PASS", "SKIP"]


class AuditQuery(msgspec.Struct):
    format: Annotated[Format, Meta(extra_json_schema={"default": "json"})] | None = None


class AuditedRule(msgspec.Struct):
    id: str
    title: str
    clauses: list[str]
    axis: Literal["outcome", "manners"]
    level: Literal["must", "should", "choice"]
    verdict: Verdict
    cases: list[str]
    reason: str
    advice: Annotated[str, Meta(description="what to change; empty where nothing is to be")]


class AuditSummary(msgspec.Struct):
    cases: dict[Verdict, Count]
    rules: dict[Verdict, Count]
    outcome: Verdict
    manners: Verdict
    exit_status: Literal[0, 1, 3]


class AuditReport(msgspec.Struct):
    """The part of the report that users rely on; the kit writes it."""

    version: Literal[1]
    kind: Literal["audit"]
    client: str
    base_url: str
    profile: str
    strict: bool
    seed: int | None
    cases: list[dict[str, Any]]
    rules: list[AuditedRule]
    clauses: list[dict[str, Any]]
    summary: AuditSummary


class AuditResource:
    def __init__(
        self,
        authenticator: Authenticator,
        *,
        real_ms: Callable[[], int],
        result_urls: ResultUrls,
        base_url: str,
        seed: int,
    ) -> None:
        self._authenticator = authenticator
        self._real_ms = real_ms
        self._result_urls = result_urls
        self._base_url = base_url
        self._seed = seed

    def calls(self) -> list[Call]:
        return [
            Call(
                "GET",
                "/_mock/audit",
                self.show,
                "What this key's client does well and badly; by `Accept`, too, a page or JUnit",
                answer=AuditReport,
                other_media_types=("text/html", "application/xml"),
            ),
            Call("GET", "/_mock/audit/page", self.page),
        ]

    async def show(self, sandbox: Sandbox, query: AuditQuery, request: Request) -> Response:
        return await self._report(sandbox, query.format or _accepted(request))

    async def page(self, sandbox: Sandbox, query: SandboxOfPage) -> Response:
        """Show it to the dashboard, which has no key."""
        return await self._report(sandbox, "html")

    async def _report(self, sandbox: Sandbox, shown_as: Format) -> Response:
        real_ms = self._real_ms()
        tasks, now_ms = await sandbox.tasks(real_ms)
        told = await run_in_threadpool(
            self._judged,
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
                "Content-Type": _MEDIA_TYPES[shown_as],
                "Content-Security-Policy": _NO_SCRIPT_FROM_ELSEWHERE,
                "X-Content-Type-Options": "nosniff",
            },
        )

    def _judged(
        self,
        sandbox: Sandbox,
        entries: Sequence[tuple[int, Entry]],
        tasks: Sequence[Task],
        now_ms: int,
        dropped: int,
        *,
        is_manual: bool,
        shown_as: Format,
    ) -> bytes:
        from contract_tests.client.reports.files import encode_audit  # noqa: PLC0415  # as below
        from contract_tests.client.sandbox import audit_of  # noqa: PLC0415  # few need it

        journal = JournalPage(entries=[JournalEntry.of(*each) for each in entries], dropped=dropped)
        shown = [TaskSummary.of(task, now_ms, self._result_urls) for task in tasks]
        report = audit_of(
            self._without_key(sandbox, journal),
            self._without_key(sandbox, shown),
            base_url=self._base_url,
            is_manual=is_manual,
            seed=self._seed,
        )
        return encode_audit(report, shown_as)

    def _without_key(self, sandbox: Sandbox, shown: object) -> Any:
        """Return the JSON that control would answer: the kit judges what anybody could fetch."""
        encoded = msgspec.json.encode(shown)
        return msgspec.json.decode(self._authenticator.without_key(sandbox, encoded))


def _accepted(request: Request) -> Format:
    """Return the first format of the `Accept` header that there is, or else JSON."""
    accepted = request.headers.get("accept", "").split(",")
    media_types = (each.partition(";")[0].strip().lower() for each in accepted)
    return next((_ACCEPTED[each] for each in media_types if each in _ACCEPTED), "json")
