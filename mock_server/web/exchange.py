"""One request to the provider and its answer: send it, and write it into the journal."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate

import msgspec
from starlette.types import Message, Scope, Send

from mock_server.domain.faults.effect import RuleRejection
from mock_server.domain.journal import MAX_BODY_BYTES, Entry, Operation
from mock_server.domain.ports import RealClock
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rule_matching import RuleMatcher
from mock_server.domain.store import Refusal, Refused, Sandbox
from mock_server.domain.tally import Tally
from mock_server.web import envelope
from mock_server.web.answer import Answer, Header
from mock_server.web.dates import HttpDates
from mock_server.web.wire_faults import send_faulty

Headers = Mapping[bytes, bytes]  # of a request, names in lower case; the last of a name counts


class Served(msgspec.Struct, frozen=True, gc=False):
    """A request that reached a sandbox, as the journal sees it."""

    sandbox: Sandbox
    operation: Operation
    began_ns: int
    scope: Scope
    body: bytes = b""


class Exchange:
    """Sends answers with the sandbox's `Date`, and keeps the journal."""

    def __init__(
        self,
        clock: RealClock,
        tally: Tally,
        rules: RuleMatcher,
        *,
        has_provenance: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._tally = tally
        self.rules = rules
        self._has_provenance = has_provenance
        self._sleep = sleep
        self._dates = HttpDates()

    def now_ns(self) -> int:
        """Return the real instant, to measure with."""
        return self._clock.now_ns()

    def now_ms(self) -> int:
        """Return the real instant that an operation of the store is told."""
        return self._clock.now_ns() // 1_000_000

    async def respond(
        self,
        asked: Served,
        answer: Answer,
        send: Send,
        applied: RuleMatch | None = None,
    ) -> None:
        """Write into the journal what is about to be answered, and answer it.

        What a rule has injected is told in the headers.
        """
        head = self._head(answer)
        if applied is not None and self._has_provenance:
            head["headers"].append((b"mock-rule", applied.rule.encode()))
            head["headers"].append((b"mock-fault", applied.effect.fault.encode()))
        self._record(asked, answer, head["headers"], applied)
        if applied is not None and applied.effect.wire:
            await send_faulty(applied.effect.wire, answer, head, asked.scope, send, self._sleep)
            return
        await send(head)
        await send({"type": "http.response.body", "body": answer.body})

    def note_unauthorized(self, operation: Operation) -> None:
        """Count a request that reached no sandbox (AUTH-2)."""
        self._tally.requests[operation, 401] += 1
        self._tally.unauthorized += 1

    def date(self, now_ms: int) -> Header:
        return (b"date", self._dates.write(now_ms))

    async def send(self, send: Send, answer: Answer) -> None:
        await send(self._head(answer))
        await send({"type": "http.response.body", "body": answer.body})

    async def pause(self, applied: RuleMatch) -> None:
        """Wait for as long as a rule says, in real time."""
        if applied.latency_ms:
            await self._sleep(applied.latency_ms / 1000)

    def refusal(self, rejection: RuleRejection, now_ms: int, task_id: str = "") -> Answer:
        """Return the answer that a rule wants instead."""
        headers: tuple[Header, ...] = ()
        if rejection.retry_after_s is not None:
            value = b"%d" % rejection.retry_after_s
            if rejection.is_date:
                value = formatdate(now_ms // 1000 + rejection.retry_after_s, usegmt=True).encode()
            headers = ((b"retry-after", value),)
        body = envelope.error(rejection.status, rejection.message)
        return Answer(rejection.status, body, now_ms, task_id, headers)

    def _record(
        self, asked: Served, answer: Answer, headers: list[Header], applied: RuleMatch | None
    ) -> None:
        body = answer.body if answer.content_type is envelope.JSON else b""
        scope = asked.scope
        asked.sandbox.record(
            Entry(
                answer.now_ms,
                asked.began_ns // 1_000_000,
                asked.operation,
                answer.task_id,
                answer.status,
                (self._clock.now_ns() - asked.began_ns) // 1000,
                asked.body[:MAX_BODY_BYTES],
                body[:MAX_BODY_BYTES],
                scope["method"],
                scope["path"],
                scope["query_string"],
                scope["headers"],
                headers,
                len(answer.body),
                "" if applied is None else applied.rule,
                () if applied is None else applied.effect.injected,
            )
        )

    def _head(self, answer: Answer) -> Message:
        headers: list[Header] = [(b"date", self._dates.write(answer.now_ms))]
        if answer.content_type is not None:
            headers.append((b"content-type", answer.content_type))
            headers.append((b"content-length", b"%d" % len(answer.body)))
        if answer.headers:
            headers.extend(answer.headers)
        return {"type": "http.response.start", "status": answer.status, "headers": headers}


def missing(now_ms: int, task_id: str = "") -> Answer:
    """Return the answer for a result that does not exist."""
    return Answer(404, envelope.error(404, "Not found", "no such result"), now_ms, task_id)


def gone(now_ms: int, task_id: str) -> Answer:
    """RES-1."""
    return Answer(410, envelope.error(410, "Gone", "the result has expired"), now_ms, task_id)


def refused(sandbox: Sandbox, refusal: Refused) -> Answer:
    """Turn a refusal of the store into the provider's answer: the one table of statuses."""
    status, message, detail = _REFUSALS[refusal.reason]
    headers: tuple[Header, ...] = ()
    if refusal.reason is Refusal.CREDITS:
        status = sandbox.settings.insufficient_credits_status
    elif status == 429:
        seconds = max(1, -(-refusal.wait_ms // 1000))  # LIM-5
        detail = f"{detail}; try again in {seconds} s"
        if sandbox.settings.retry_after:
            headers = ((b"retry-after", b"%d" % seconds),)
    return Answer(status, envelope.error(status, message, detail), refusal.now_ms, headers=headers)


_REFUSALS = {
    Refusal.RATE_LIMIT: (429, "Rate limit exceeded", "too many requests in 60 seconds"),
    Refusal.CONCURRENCY: (429, "Rate limit exceeded", "too many tasks that have not ended"),
    Refusal.CREDITS: (400, "Insufficient credits", "the balance of this key is too small"),
    Refusal.NO_TASK: (404, "Task not found", "taskId: no task of this key has this id"),
    Refusal.FULL: (503, "Service unavailable", "the mock keeps as many tasks as --max-tasks says"),
}


def unauthorized(now_ms: int) -> Answer:
    """AUTH-2."""
    body = envelope.error(
        401, "Invalid or missing API key", "send the header Authorization: Bearer <key>"
    )
    return Answer(401, body, now_ms, headers=((b"www-authenticate", b"Bearer"),))


def wrong_method(scope: Scope, allowed: str, now_ms: int) -> Answer:
    detail = f"{scope['path']} takes {allowed}, not {scope['method']}"
    body = envelope.error(405, "Method not allowed", detail)
    return Answer(405, body, now_ms, headers=((b"allow", allowed.encode()),))
