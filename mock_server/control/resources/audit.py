"""The audit of the caller's client, based on the journal of its sandbox."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Annotated, Any, Literal
from weakref import WeakValueDictionary

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from mock_server.control.answers import Count
from mock_server.control.authentication import Authenticator
from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.query import SandboxOfPage
from mock_server.control.task_summary import TaskSummary
from mock_server.control.waiting import while_client_waits
from mock_server.domain.journal import Entry
from mock_server.domain.store import SandboxReader
from mock_server.domain.task import Task

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
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Verdict = Literal["FAIL", "ERROR", "INCONCLUSIVE", "WARN", "PASS", "SKIP"]

# Each one runs in a thread, and takes time from the event loop.
_MAX_AT_ONCE = 2
# Clients may close only their sending side and wait for the report.
_AFTER_CLOSING_S = 1.0


class _Cancelled(BaseException):
    """Nobody wants the report any longer. The rules handle any Exception, but not this."""


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
    advice: Annotated[str, Meta(description="What to change in the client; empty if nothing.")]
    hint: Annotated[str, Meta(description="How to test the rule; empty if it was tested.")]


class AuditSummary(msgspec.Struct):
    cases: dict[Verdict, Count]
    rules: dict[Verdict, Count]
    clauses: dict[Verdict, Count]
    outcome: Verdict
    manners: Verdict
    exit_status: Literal[0, 1, 3]


class AuditRun(msgspec.Struct):
    started_at: Annotated[str, Meta(description="An instant in UTC, ISO 8601.")]
    duration_s: Annotated[float, Meta(ge=0)]
    kit_version: str


class AuditReport(msgspec.Struct):
    """The stable part of the report, which the contract kit writes."""

    version: Literal[1]
    run: AuditRun
    kind: Literal["audit"]
    client: str
    base_url: str
    profile: str
    selection: Annotated[list[str], Meta(description="Empty: a sandbox is audited as a whole.")]
    declared: Annotated[list[str], Meta(description="Empty: nothing is known about the client.")]
    strict: bool
    seed: int | None
    cases: list[dict[str, Any]]
    rules: list[AuditedRule]
    clauses: list[dict[str, Any]]
    summary: AuditSummary
    exploration: Annotated[None, Meta(description="Null: a sandbox is not explored.")]


class AuditResource:
    def __init__(
        self,
        authenticator: Authenticator,
        *,
        real_ms: Callable[[], int],
        base_url: str,
        seed: Callable[[], int],
    ) -> None:
        self._authenticator = authenticator
        self._real_ms = real_ms
        self._base_url = base_url
        self._seed = seed
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # By sandbox.
        self._places = asyncio.Semaphore(_MAX_AT_ONCE)

    def calls(self) -> list[Call]:
        return [
            Call(
                "GET",
                "/_mock/audit",
                self.show,
                "Audit this key's client; `format` or `Accept` selects JSON, HTML or JUnit XML",
                answer=AuditReport,
                other_media_types=("text/html", "application/xml"),
            ),
            Call("GET", "/_mock/audit/page", self.page),
        ]

    async def show(self, sandbox: SandboxReader, query: AuditQuery, request: Request) -> Response:
        return await self._report(sandbox, query.format or _accepted(request), request)

    async def page(
        self, sandbox: SandboxReader, query: SandboxOfPage, request: Request
    ) -> Response:
        """Return the HTML report to the dashboard, which has no API key, with a way back."""
        report = await self._report(sandbox, "html", request)
        head, start, rest = bytes(report.body).partition(b"<body>\n")
        back = f'<p><a href="/_mock/?sandbox={sandbox.id}">← Back to the sandbox</a></p>\n'
        report.body = head + start + back.encode() + rest
        report.headers["Content-Length"] = str(len(report.body))
        return report

    async def _report(
        self, sandbox: SandboxReader, report_format: Format, request: Request
    ) -> Response:
        """Return a report. Audits of one sandbox run one by one, so no key delays others.

        Raise ControlError (400) if the client leaves.
        """
        turn = self._turns.setdefault(sandbox.id, asyncio.Lock())
        try:
            async with while_client_waits(request, _AFTER_CLOSING_S), turn, self._places:
                return await self._report_now(sandbox, report_format)
        except TimeoutError:
            raise ControlError(
                400, "connection: closed by the client, so the audit was cancelled"
            ) from None

    async def _report_now(self, sandbox: SandboxReader, report_format: Format) -> Response:
        real_ms = self._real_ms()
        tasks, now_ms = sandbox.tasks(real_ms)
        is_cancelled = Event()
        try:
            report = await asyncio.to_thread(
                self._judged,
                sandbox,
                sandbox.entries(),
                tasks,
                now_ms,
                sandbox.dropped_entries,
                is_manual=sandbox.clock(real_ms).mode == "manual",
                report_format=report_format,
                is_cancelled=is_cancelled,
            )
        finally:
            is_cancelled.set()  # The thread would go on, and a server that stops would wait for it.
        return Response(
            report,
            headers={
                "Content-Type": _MEDIA_TYPES[report_format],
                "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
                "X-Content-Type-Options": "nosniff",
            },
        )

    def _judged(
        self,
        sandbox: SandboxReader,
        entries: Sequence[tuple[int, Entry]],
        tasks: Sequence[Task],
        now_ms: int,
        dropped: int,
        *,
        is_manual: bool,
        report_format: Format,
        is_cancelled: Event,
    ) -> bytes:
        from contract_tests.client.reports.files import encode_audit  # noqa: PLC0415  # see below
        from contract_tests.client.sandbox_audit import (  # noqa: PLC0415  # slow to import
            audit_sandbox,
        )

        def check_cancelled() -> None:
            if is_cancelled.is_set():
                raise _Cancelled

        # A thread that encodes JSON, frees memory or collects garbage blocks the event loop
        # meanwhile. So these values are made one by one, and none of them is kept.
        def shown_entries() -> Iterator[Any]:
            for each in entries:
                check_cancelled()
                yield self._without_key(sandbox, JournalEntry.of(*each))

        def shown_tasks() -> Iterator[Any]:
            for task in tasks:
                check_cancelled()
                yield self._without_key(sandbox, TaskSummary.of(task, now_ms, sandbox.seed))

        report = audit_sandbox(
            {"entries": shown_entries(), "dropped": dropped},
            shown_tasks(),
            base_url=self._base_url,
            is_manual=is_manual,
            seed=self._seed(),
            check_cancelled=check_cancelled,
        )
        return encode_audit(report, report_format)

    def _without_key(self, sandbox: SandboxReader, shown: object) -> Any:
        """Return the value with the API key redacted, so that the kit never gets the key."""
        encoded = msgspec.json.encode(shown)
        return msgspec.json.decode(self._authenticator.without_key(sandbox.id, encoded))


def _accepted(request: Request) -> Format:
    """Return the first supported format of the `Accept` header, JSON by default."""
    accepted = request.headers.get("accept", "").split(",")
    media_types = (each.partition(";")[0].strip().lower() for each in accepted)
    return next((_ACCEPTED[each] for each in media_types if each in _ACCEPTED), "json")
