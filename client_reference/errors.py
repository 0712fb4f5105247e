"""Everything that can go wrong in a conversation with the service.

ApixoError
├── ApiError                  the service refused: status, code, message, detail, response
│   ├── AuthenticationError   401: no API key, or one that is not valid (AUTH-2)
│   ├── InvalidRequest        400 and its kin: the request is wrong (SUB-14)
│   ├── InsufficientCredits   the account has no credit left (SUB-17)
│   ├── NotFound              404: no such task, no such model (STA-2, SUB-18)
│   ├── RateLimited           429: too many requests or tasks; retry_after (LIM-1, LIM-2)
│   └── ServerError           5xx
├── TaskFailed                the task ended `failed`: fail_code, fail_msg, task
│   ├── ContentViolation      CONTENT_VIOLATION (FAIL-1)
│   └── InvalidImageUrl       INVALID_IMAGE_URL (FAIL-2)
├── TransportError            no answer came: connection refused, broken, …
│   ├── ApiTimeout            … or it took too long
│   └── SubmissionUncertain   a submit may have been accepted: it is not sent again by itself
├── WaitTimeout               the task has not ended in time; keeps the task
├── ResultExpired             a result is no longer there (RES-1)
└── UnexpectedResponse        an answer that the contract does not know

Each keeps in `task` what had been submitted when it happened, so that nothing paid for is lost.
No error carries the API key: `response` is a copy without its request.
"""

import httpx

from client_reference.task import Task

_HEAD_MAX = 200  # bytes of a body that a message shows


class ApixoError(Exception):
    """The root of the tree."""

    task: Task | None = None


class ApiError(ApixoError):
    """An answer that says no.

    `status` is the HTTP status and `code` the envelope's, which the contract makes equal (ENV-2);
    `detail` is `data.error`, where there is one; `retry_after` is how many seconds the service
    asked to wait with a 429 or a 5xx, None when it did not.
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
        said = f"{self.message}: {self.detail}" if self.detail else self.message
        return f"{number} {_writable(said)}"


class AuthenticationError(ApiError):
    """There was no API key, or it is not valid."""


class InvalidRequest(ApiError):
    """The service found the request wrong; `detail` names the field."""


class InsufficientCredits(ApiError):
    """The account has no credit left."""


class NotFound(ApiError):
    """There is no such task for this key, or no such model."""


class RateLimited(ApiError):
    """Too many requests in a minute, or too many tasks at once; see `retry_after`."""


class ServerError(ApiError):
    """The service is in trouble."""


class TaskFailed(ApixoError):
    """The task was accepted and ended `failed`; it is not billed."""

    def __init__(self, fail_code: str | None, fail_msg: str | None, task: Task) -> None:
        super().__init__(fail_code, fail_msg, task)
        self.fail_code = fail_code
        self.fail_msg = fail_msg
        self.task: Task = task

    def __str__(self) -> str:
        code = self.fail_code or "no fail code"
        said = f"{code}: {self.fail_msg}" if self.fail_msg else code
        return f"task {self.task.id} failed: {_writable(said)}"


class ContentViolation(TaskFailed):
    """The content breaks the safety guidelines: change the prompt or the images."""


class InvalidImageUrl(TaskFailed):
    """The service could not read a reference image: change `image_urls`."""


class TransportError(ApixoError):
    """No answer came.

    `was_sent` is False only when the request surely never left, as with a refused connection.
    """

    was_sent: bool

    def __init__(self, message: str, *, was_sent: bool = True) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class ApiTimeout(TransportError):
    """The service took longer than `timeout` to connect or to answer."""


class SubmissionUncertain(TransportError):
    """A submit was sent and may have been accepted, but no usable answer came.

    The API knows no idempotency key, so sending again may buy the pictures twice.  Look at the
    account first, or opt in with `retry_submit=True`.  The cause says what happened.
    """


class WaitTimeout(ApixoError):
    """The task had not ended at the deadline; it goes on at the service.

    `task` is what was last seen: give it to `wait` to go on.
    """

    def __init__(self, message: str, task: Task) -> None:
        super().__init__(message, task)
        self.task: Task = task

    def __str__(self) -> str:
        message: str = self.args[0]
        return _writable(message)


class ResultExpired(ApixoError):
    """A result is gone: addresses are valid for 15 days (RES-1)."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(url, status)
        self.url = url
        self.status = status

    def __str__(self) -> str:
        return (
            f"{self.url} answers {self.status}: results can be downloaded for 15 days,"
            " then they are gone"
        )


class UnexpectedResponse(ApixoError):
    """An answer breaks the contract; says where, and shows the head of the body.

    `is_garbled` if it is none at all, as when a proxy has emptied it: that may pass.
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
        return f"{self.problem}{status}; the body begins {self.head!r}"


def _writable(said: str) -> str:
    """Escape half a surrogate pair, which JSON may hold and which no one can print."""
    return said.encode("utf-8", "backslashreplace").decode()
