"""Every error that the clients raise for a request.

ApixoError
├── ApiError                  the service rejected the request: status, code, message, detail
│   ├── AuthenticationError   401: the API key is missing or invalid (AUTH-2)
│   ├── PermissionDenied      403: the API key lacks permission, or a policy forbids it (AUTH-5)
│   ├── InvalidRequest        400 and similar: the request is invalid (SUB-14)
│   ├── InsufficientCredits   the account has no credit left (SUB-17)
│   ├── NotFound              404: unknown task, or unknown model (STA-2, SUB-18)
│   ├── RateLimited           429: too many requests or tasks; see retry_after (LIM-1, LIM-2)
│   └── ServerError           5xx
├── TaskFailed                the task or its submit failed: fail_code, fail_msg, task
│   ├── ContentViolation      CONTENT_VIOLATION (FAIL-1)
│   └── InvalidImageUrl       INVALID_IMAGE_URL (FAIL-2)
├── TransportError            no response: connection refused, connection lost, …
│   ├── ApiTimeout            … or a response that took too long
│   ├── TlsError              no TLS connection: an untrusted certificate, or a port without TLS
│   └── SubmissionUncertain   a submit may have been accepted and was not retried
├── WaitTimeout               the task did not end in time; has the task
├── ResultExpired             a result is no longer available (RES-1)
└── UnexpectedResponse        a response that the contract does not allow

The attribute `task` of an error is the task that was submitted before it, if there is one.
No error contains the API key: `response` is a copy without its request.
"""

from dataclasses import dataclass

import httpx

from client_reference.task import Task

_HEAD_MAX = 200  # The number of bytes of a body that an error keeps.
_TEXT_MAX = 2000  # The number of characters of the service's text that an error shows.


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAttempt:
    """The attempt that follows an error: its number, of how many, and the pause before it."""

    number: int
    of: int
    pause_s: float


class ApixoError(Exception):
    """The base class of all errors.

    `task` is the task that was submitted before, or None.  `next_attempt` is set while the request
    is retried; an error that is raised to the caller has None.
    """

    task: Task | None = None
    next_attempt: NextAttempt | None = None


class ApiError(ApixoError):
    """The service rejected the request.

    `status` is the HTTP status and `code` is that of the envelope; both should be equal (ENV-2).
    `detail` is `data.error`, or None.  `retry_after` is the number of seconds to wait that a 429
    or a 5xx requests, or None.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        detail: str | None,
        response: httpx.Response,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, code, message, detail, response, retry_after)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.response = response
        self.retry_after = retry_after

    def __str__(self) -> str:
        number = f"{self.status}" if self.code == self.status else f"{self.status}/{self.code}"
        text = f"{self.message}: {self.detail}" if self.detail else self.message
        return f"{number} {_printable(text)}"


class AuthenticationError(ApiError):
    """The API key is missing or invalid."""


class PermissionDenied(ApiError):
    """The API key lacks permission, or the content violates a policy: the pages disagree.

    A key may also be limited to a list of IP addresses.  A retry would not change the response.
    """


class InvalidRequest(ApiError):
    """The request is invalid; `detail` names the field."""


class InsufficientCredits(ApiError):
    """The account has no credit left."""


class NotFound(ApiError):
    """The task is unknown for this API key, or the model is unknown."""


class RateLimited(ApiError):
    """Too many requests in a minute, or too many tasks at once."""


class ServerError(ApiError):
    """The service could not process the request."""


class TaskFailed(ApixoError):
    """The task ended `failed`; it is not billed (FAIL-5).

    `task` is None if the submit itself was rejected with a fail code, so that there is no task
    (FAIL-6).  Then `__cause__` is the ApiError.
    """

    def __init__(self, fail_code: str | None, fail_msg: str | None, task: Task | None) -> None:
        super().__init__(fail_code, fail_msg, task)
        self.fail_code = fail_code
        self.fail_msg = fail_msg
        self.task = task

    def __str__(self) -> str:
        code = self.fail_code or "no fail code"
        text = f"{code}: {self.fail_msg}" if self.fail_msg else code
        subject = "the submit" if self.task is None else f"task {self.task.id}"
        return f"{subject} failed: {_printable(text)}"


class ContentViolation(TaskFailed):
    """The content violates the safety guidelines: change the prompt or the images."""


class InvalidImageUrl(TaskFailed):
    """The service cannot access a reference image: change `image_urls`."""


class TransportError(ApixoError):
    """No response arrived.

    `was_sent` is False only if the request certainly was not sent, for example because the
    connection was refused.
    """

    was_sent: bool

    def __init__(self, message: str, *, was_sent: bool = True) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class ApiTimeout(TransportError):
    """The connection or the response took longer than `timeout`."""


class TlsError(TransportError):
    """A TLS connection cannot be set up, and a retry would not change that.

    The certificate is not accepted, or the server does not use TLS.  Nothing was sent.  The message
    says what to change.
    """


class SubmissionUncertain(TransportError):
    """A submit may have been accepted, but no valid response arrived; it was not retried.

    The API has no idempotency key, so a second submit may pay for the images twice.  Check the
    account first, or opt in with `retry_submit=True`.  `__cause__` is the original error.
    """


class WaitTimeout(ApixoError):
    """The task did not end before the deadline; it continues at the service.

    `task` is the last known state: pass it to `wait` to continue.
    """

    def __init__(self, message: str, task: Task) -> None:
        super().__init__(message, task)
        self.task: Task = task

    def __str__(self) -> str:
        message: str = self.args[0]
        return _printable(message)


class ResultExpired(ApixoError):
    """A result is no longer available: it is kept for 15 days (RES-1)."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(url, status)
        self.url = url
        self.status = status

    def __str__(self) -> str:
        return (
            f"HTTP {self.status} for {self.url}: the result has expired;"
            " results can be downloaded for 15 days"
        )


class UnexpectedResponse(ApixoError):
    """A response violates the contract: `problem` says where, `head` is the start of its body.

    `is_garbled` means that it was damaged in transit, for example emptied by a proxy, so that a
    retry may succeed.
    """

    def __init__(
        self,
        problem: str,
        body: bytes = b"",
        response: httpx.Response | None = None,
        *,
        is_garbled: bool = False,
    ) -> None:
        super().__init__(problem, body[:_HEAD_MAX], response)
        self.problem = problem
        self.head = body[:_HEAD_MAX].decode("utf-8", "replace")
        self.response = response
        self.is_garbled = is_garbled

    def __str__(self) -> str:
        status = "" if self.response is None else f" (HTTP {self.response.status_code})"
        start = f"; the body starts with {self.head!r}" if self.head else ""
        return f"{self.problem}{status}{start}"


def _printable(text: str) -> str:
    """Return the start of a text; escape unpaired surrogates, which no stream can encode."""
    shown = text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}…"
    return shown.encode("utf-8", "backslashreplace").decode()
