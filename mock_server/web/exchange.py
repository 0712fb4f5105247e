"""One request to the provider and its answer: send it, and write it into the journal."""

from collections.abc import Mapping

import msgspec
from starlette.types import Scope, Send

from mock_server.domain.journal import MAX_BODY_BYTES, Entry, Operation
from mock_server.domain.ports import RealClock
from mock_server.domain.store import Refusal, Refused, Sandbox
from mock_server.web import envelope
from mock_server.web.dates import HttpDates

Header = tuple[bytes, bytes]
Headers = Mapping[bytes, bytes]  # of a request, names in lower case; the last of a name counts


class Answer(msgspec.Struct, frozen=True, gc=False):
    """An answer of the provider at an instant of the sandbox's clock."""

    status: int
    body: bytes
    now_ms: int
    task_id: str = ""
    headers: tuple[Header, ...] = ()
    content_type: bytes | None = envelope.JSON  # None: no content at all (304)
    owes_callback: bool = False  # something is to be delivered once this has been sent


class Exchange:
    """Sends answers with the sandbox's `Date`, and keeps the journal."""

    def __init__(self, clock: RealClock) -> None:
        self._clock = clock
        self._dates = HttpDates()

    def now_ns(self) -> int:
        """Return the real instant, to measure with."""
        return self._clock.now_ns()

    def now_ms(self) -> int:
        """Return the real instant that an operation of the store is told."""
        return self._clock.now_ns() // 1_000_000

    def record(
        self,
        sandbox: Sandbox,
        operation: Operation,
        began_ns: int,
        scope: Scope,
        request: bytes,
        answer: Answer,
    ) -> None:
        """Write into the journal what is about to be answered."""
        body = answer.body if answer.content_type is envelope.JSON else b""
        sandbox.record(
            Entry(
                answer.now_ms,
                began_ns // 1_000_000,
                operation,
                answer.task_id,
                answer.status,
                (self._clock.now_ns() - began_ns) // 1000,
                request[:MAX_BODY_BYTES],
                body[:MAX_BODY_BYTES],
                scope["method"],
                scope["path"],
                scope["query_string"],
                scope["headers"],
                answer.headers,
                len(answer.body),
            )
        )

    def date(self, now_ms: int) -> Header:
        return (b"date", self._dates.write(now_ms))

    async def send(self, send: Send, answer: Answer) -> None:
        headers: list[Header] = [(b"date", self._dates.write(answer.now_ms))]
        if answer.content_type is not None:
            headers.append((b"content-type", answer.content_type))
            headers.append((b"content-length", b"%d" % len(answer.body)))
        if answer.headers:
            headers.extend(answer.headers)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


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
