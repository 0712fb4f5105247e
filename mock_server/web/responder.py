"""Send responses and record them in the journal."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from starlette.types import Message, Send

from mock_server.domain.commands import RecordExchange
from mock_server.domain.errors import SandboxMissing
from mock_server.domain.journal import MAX_BODY_BYTES, Entry
from mock_server.domain.operation import Operation
from mock_server.domain.ports import RealClock
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.store import Store
from mock_server.web import envelope
from mock_server.web.answer import Answer, Header
from mock_server.web.dates import HttpDates
from mock_server.web.request import ProviderRequest
from mock_server.web.request_log import NOTE, RequestNote
from mock_server.web.wire_faults import send_faulty


class Responder:
    """Sends responses with the `Date` of the sandbox's clock, and records them."""

    def __init__(
        self,
        clock: RealClock,
        store: Store,
        *,
        has_provenance: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._store = store
        self._has_provenance = has_provenance
        self._sleep = sleep
        self._dates = HttpDates()

    def now_ms(self) -> int:
        """Return the real instant in Unix milliseconds, for commands."""
        return self._clock.now_ns() // 1_000_000

    async def respond(
        self, request: ProviderRequest, operation: Operation, answer: Answer, send: Send
    ) -> None:
        """Record the response in the journal, then send it.

        The headers `Mock-Rule` and `Mock-Fault` name the rule and the injected faults.
        """
        head = self._head(answer)
        match = request.match
        if match is not None and self._has_provenance:
            head["headers"].append((b"mock-rule", match.rule.encode()))
            head["headers"].append((b"mock-fault", match.effect.fault.encode()))
        note: RequestNote | None = request.scope.get(NOTE)
        if note is not None:
            note.take(request.sandbox, answer.task_id, match)
        record = self._record(request, operation, answer, head["headers"])
        try:  # noqa: SIM105  # `suppress` would cost as much as the command
            await self._store.execute(request.sandbox.id, record)
        except SandboxMissing:
            pass  # It was removed during the request, and its journal with it.
        if match is not None and match.effect.wire:
            await send_faulty(match.effect.wire, answer, head, request.scope, send, self._sleep)
            return
        await send(head)
        await send({"type": "http.response.body", "body": answer.body})

    async def send(self, send: Send, answer: Answer) -> None:
        """Send a response without recording it."""
        await send(self._head(answer))
        await send({"type": "http.response.body", "body": answer.body})

    async def pause(self, match: RuleMatch) -> None:
        """Wait for the latency of a rule, in real time."""
        if match.latency_ms:
            await self._sleep(match.latency_ms / 1000)

    def count_unauthorized(self, operation: Operation, status: int) -> None:
        """Count a request without a valid API key, or without permission (AUTH-2, AUTH-5)."""
        self._store.metrics.count_unauthorized(operation, status)

    def date(self, now_ms: int) -> Header:
        """Return the `Date` header for an instant in Unix milliseconds."""
        return self._dates.header(now_ms)

    def _record(
        self,
        request: ProviderRequest,
        operation: Operation,
        answer: Answer,
        headers: Sequence[Header],
    ) -> RecordExchange:
        match, scope = request.match, request.scope
        now_ns = self._clock.now_ns()
        entry = Entry(  # Names for all members would double the time that recording takes.
            answer.now_ms,
            request.began_ns // 1_000_000,
            operation,
            answer.task_id,
            answer.status,
            (now_ns - request.began_ns) // 1000,
            request=(request.body or b"")[:MAX_BODY_BYTES],
            answer=answer.body[:MAX_BODY_BYTES] if answer.content_type is envelope.JSON else b"",
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"],
            headers=scope["headers"],
            answer_headers=headers,
            answer_bytes=len(answer.body),
            rule="" if match is None else match.rule,
            injected=() if match is None else match.effect.injected,
        )
        return RecordExchange(real_ms=now_ns // 1_000_000, entry=entry)

    def _head(self, answer: Answer) -> Message:
        headers: list[Header] = [self._dates.header(answer.now_ms)]
        if answer.content_type is not None:
            headers.append((b"content-type", answer.content_type))
            headers.append((b"content-length", b"%d" % len(answer.body)))
        if answer.headers:
            headers.extend(answer.headers)
        return {"type": "http.response.start", "status": answer.status, "headers": headers}
