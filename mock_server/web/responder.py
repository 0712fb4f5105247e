"""Record responses in the journal, and send them by ASGI."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Message, Send

from mock_server.domain.commands import RecordExchange
from mock_server.domain.errors import SandboxMissing, StoreUnavailable
from mock_server.domain.faults.injected import Injected
from mock_server.domain.journal import MAX_BODY_BYTES, Entry
from mock_server.domain.operation import Operation
from mock_server.domain.ports import RealClock
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.store import Store
from mock_server.web import envelope
from mock_server.web.answer import Answer, Header, unavailable
from mock_server.web.api_keys import ApiKeys
from mock_server.web.durable_entries import without_key, without_other_key
from mock_server.web.persistence import persisted
from mock_server.web.request import ProviderRequest
from mock_server.web.response_head import ResponseHead, ResponseHeads
from mock_server.web.wire_faults import Connection, send_faulty

_RESULT = Operation.RESULT  # In Python 3.11, the access to a member of an enum is slow.


class Responder:
    """Records responses, and sends them with the `Date` of the sandbox's clock."""

    def __init__(
        self,
        clock: RealClock,
        store: Store,
        api_keys: ApiKeys,
        *,
        has_provenance: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.is_durable = store.is_durable
        self._now_ns = clock.now_ns
        self._store = store
        self._api_keys = api_keys
        self._has_provenance = has_provenance
        self._sleep = sleep
        self._heads = ResponseHeads()

    def now_ms(self) -> int:
        """Return the real instant in Unix milliseconds, for commands."""
        return self._now_ns() // 1_000_000

    async def record(
        self, request: ProviderRequest, operation: Operation, answer: Answer
    ) -> ResponseHead:
        """Record a response in the journal and return its head."""
        record, head = self.record_of(request, operation, answer)
        try:  # noqa: SIM105  # `suppress` would cost as much as the command
            await self._store.execute(request.sandbox.id, record)
        except SandboxMissing:
            pass  # It was removed during the request, and its journal with it.
        return head

    def record_of(
        self, request: ProviderRequest, operation: Operation, answer: Answer
    ) -> tuple[RecordExchange, ResponseHead]:
        """Return the command that records a response, and the head of the response.

        The headers `Mock-Rule` and `Mock-Fault` name the rule and the injected faults.
        """
        match, target, block = request.match, request.target, request.block
        rule: str = ""
        injected: tuple[Injected, ...] = ()
        provenance: tuple[Header, ...] = ()
        if match is not None:
            rule, injected = match.rule, match.effect.injected
            provenance = self._provenance(match)
        head = self._heads.of(answer, provenance)
        if request.note is not None:
            request.note.take(request.sandbox, answer.task_id, match)
        now_ns = self._now_ns()
        entry = Entry(  # Names for all members would double the time that recording takes.
            answer.now_ms,
            request.began_ns // 1_000_000,
            operation,
            answer.task_id,
            answer.status,
            (now_ns - request.began_ns) // 1000,
            (request.body or b"")[:MAX_BODY_BYTES],
            answer.body[:MAX_BODY_BYTES] if answer.content_type is envelope.JSON else b"",
            target.method,
            target.path,
            request.query,
            block.pairs,
            head.headers,
            len(answer.body),
            rule,
            injected,
        )
        if self.is_durable:
            entry = without_key(entry, request, answer.body, head)
            if operation is _RESULT:  # Such a request needs no key, but may contain it.
                redactor = self._api_keys.redactor(request.sandbox.id)
                entry = without_other_key(entry, redactor)
        return RecordExchange(real_ms=now_ns // 1_000_000, entry=entry), head

    async def persisted(self) -> None:
        """Wait until everything so far survives the end of the process.

        Raises StoreUnavailable.
        """
        await persisted(self._store)

    def unavailable(
        self, error: StoreUnavailable, operation: Operation | None
    ) -> tuple[Answer, ResponseHead]:
        """Return the response to a request that the store cannot serve now, and count it.

        It is not recorded, because the store cannot do that either. `operation` is None if another
        response to the request was recorded.
        """
        self._store.metrics.count_unavailable(operation)
        answer = unavailable(str(error), self.now_ms())
        return answer, self._heads.of(answer)

    async def send(self, send: Send, answer: Answer, head: ResponseHead | None = None) -> None:
        """Send a response; without `head`, one that is not recorded."""
        await send(_start(head or self._heads.of(answer)))
        await send({"type": "http.response.body", "body": answer.body})

    async def send_faulty(
        self,
        send: Send,
        answer: Answer,
        head: ResponseHead,
        match: RuleMatch,
        connection: Connection,
    ) -> None:
        """Send a recorded response with the wire fault of a rule."""
        wire = match.effect.wire
        assert wire is not None, "the rule has a wire fault"
        await send_faulty(
            wire, answer, _start(head), connection=connection, send=send, sleep=self._sleep
        )

    async def pause(self, match: RuleMatch) -> None:
        """Wait for the latency of a rule, in real time."""
        if match.latency_ms:
            await self._sleep(match.latency_ms / 1000)

    def count_unauthorized(self, operation: Operation, status: int) -> None:
        """Count a request without a valid API key, or without permission (AUTH-2, AUTH-5)."""
        self._store.metrics.count_unauthorized(operation, status)

    def date(self, now_ms: int) -> Header:
        """Return the `Date` header for an instant in Unix milliseconds."""
        return self._heads.date(now_ms)

    def _provenance(self, match: RuleMatch) -> tuple[Header, ...]:
        if not self._has_provenance:
            return ()
        return (
            (b"mock-rule", match.rule.encode()),
            (b"mock-fault", match.effect.fault.encode()),
        )


def _start(head: ResponseHead) -> Message:
    return {"type": "http.response.start", "status": head.status, "headers": [*head.headers]}
