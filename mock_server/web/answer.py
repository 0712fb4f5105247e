"""The provider's responses before they are sent, and functions for the error responses."""

from collections.abc import Sequence
from email.utils import formatdate
from typing import TypeAlias

import msgspec
from starlette.types import Scope

from mock_server.domain.faults.effect import RuleRejection
from mock_server.domain.results import NO_PERMISSION, Rejection, RejectionReason
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.web import envelope
from mock_server.web.redaction import Redactor

Header: TypeAlias = tuple[bytes, bytes]

RETRY_AFTER_S = 1  # While the store cannot be used.


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A response at an instant of the sandbox's clock."""

    status: int
    body: bytes
    now_ms: int
    task_id: str = ""
    headers: tuple[Header, ...] = ()
    content_type: bytes | None = envelope.JSON  # None for a response without content (304).
    owes_callback: bool = False  # A callback must be scheduled once this has been sent.


_REJECTIONS = {
    RejectionReason.RATE_LIMIT: (429, "Rate limit exceeded", "too many requests in 60 seconds"),
    RejectionReason.CONCURRENCY: (429, "Rate limit exceeded", "too many tasks in progress"),
    RejectionReason.CREDITS: (400, "Insufficient credits", "the balance of this key is too small"),
    RejectionReason.UNKNOWN_TASK: (
        404,
        "Task not found",
        "taskId: no task of this key has this id",
    ),
    RejectionReason.NO_ROOM: (503, "Service unavailable", "Task limit reached (--max-tasks)."),
}


def rejected(rejection: Rejection, settings: SandboxSettings) -> Answer:
    """Return the response to a request that the sandbox has rejected."""
    status, message, detail = _REJECTIONS[rejection.reason]
    headers: tuple[Header, ...] = ()
    if rejection.reason is RejectionReason.CREDITS:
        status = settings.insufficient_credits_status
    elif status == 429:
        seconds = max(1, -(-rejection.wait_ms // 1000))  # LIM-5
        detail = f"{detail}; try again in {seconds} s"
        if settings.retry_after:
            headers = ((b"retry-after", b"%d" % seconds),)
    body = envelope.error(status, message, detail)
    return Answer(status, body, rejection.now_ms, headers=headers)


def rejected_by_rule(rejection: RuleRejection, now_ms: int, task_id: str = "") -> Answer:
    """Return the error response that a rule injects."""
    headers: tuple[Header, ...] = ()
    if rejection.retry_after_s is not None:
        value = b"%d" % rejection.retry_after_s
        if rejection.is_date:
            value = formatdate(now_ms // 1000 + rejection.retry_after_s, usegmt=True).encode()
        headers = ((b"retry-after", value),)
    if rejection.has_data:
        body = envelope.error(
            rejection.status, rejection.message, rejection.detail, fail_code=rejection.fail_code
        )
    else:
        body = envelope.error_without_data(rejection.status, rejection.message)
    return Answer(rejection.status, body, now_ms, task_id, headers)


def unauthorized(problem: str, now_ms: int) -> Answer:
    """Return the response to a missing or invalid API key (AUTH-2)."""
    body = envelope.error(401, "Invalid or missing API key", problem)
    return Answer(401, body, now_ms, headers=((b"www-authenticate", b"Bearer"),))


def forbidden(problem: str, now_ms: int) -> Answer:
    """Return the response to an API key without permission (AUTH-5)."""
    return Answer(403, envelope.error(403, NO_PERMISSION, problem), now_ms)


def unavailable(reason: str, now_ms: int) -> Answer:
    """Return the response while the store cannot be used; the client may try again."""
    body = envelope.error(503, "Service unavailable", reason)
    return Answer(503, body, now_ms, headers=((b"retry-after", b"%d" % RETRY_AFTER_S),))


def wrong_method(scope: Scope, allowed: str, now_ms: int) -> Answer:
    """Return the response to a method that the path does not support."""
    path = Redactor.of_request(scope["headers"]).sentence(scope["path"])
    detail = f"{path}: must be called with {allowed} (got {scope['method']})"
    body = envelope.error(405, "Method not allowed", detail)
    return Answer(405, body, now_ms, headers=((b"allow", allowed.encode()),))


def options(methods: Sequence[str], now_ms: int) -> Answer:
    """Return the response to OPTIONS, which names the methods of the path."""
    allowed = ", ".join((*methods, "OPTIONS")).encode()
    return Answer(204, b"", now_ms, headers=((b"allow", allowed),), content_type=None)


def missing(now_ms: int, task_id: str = "") -> Answer:
    """Return the response to a request for a result that does not exist."""
    return Answer(404, envelope.error(404, "Not found", "no such result"), now_ms, task_id)


def gone(now_ms: int, task_id: str) -> Answer:
    """Return the response to a request for an expired result (RES-1)."""
    return Answer(410, envelope.error(410, "Gone", "the result has expired"), now_ms, task_id)
