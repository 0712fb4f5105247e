"""Decode responses of the service into values, or into the errors of `errors`."""

import json
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlsplit

import httpx

from client_reference import errors
from client_reference.fail_codes import find_fail_code
from client_reference.retry_after import retry_after_s
from client_reference.task import Generation, Task

_TASK_MEMBERS = frozenset(
    {
        "taskId", "state", "resultJson", "failCode", "failMsg",
        "createTime", "completeTime", "costTime",
    }
)  # fmt: skip
IMAGES_MAX = 4
"""The highest number of images of a task (SUB-11, STA-7)."""

_INTEGER_MAX = 2**63 - 1
_DIGITS_MAX = 100
_NAME_MAX = 1000
_BY_STATUS: Mapping[int, type[errors.ApiError]] = {
    400: errors.InvalidRequest,
    401: errors.AuthenticationError,
    402: errors.InsufficientCredits,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    405: errors.InvalidRequest,
    413: errors.InvalidRequest,
    415: errors.InvalidRequest,
    422: errors.InvalidRequest,
}
_BY_FAIL_CODE: Mapping[str | None, type[errors.TaskFailed]] = {
    "CONTENT_VIOLATION": errors.ContentViolation,
    "INVALID_IMAGE_URL": errors.InvalidImageUrl,
}
_MAY_HAVE_FAIL_CODE = frozenset({errors.InvalidRequest, errors.PermissionDenied, errors.ApiError})


def read_error(response: httpx.Response, now_s: float) -> errors.ApiError | None:
    """Return the error that a response reports by its status or its envelope's code (ENV-2).

    `now_s` is our clock in epoch seconds, for a `Retry-After` that is a date.
    """
    envelope = _object_or_none(response.content) or {}
    status = response.status_code
    code = envelope.get("code")
    code = code if type(code) is int else status
    decisive = status if status >= 400 else code
    if not 400 <= decisive <= 599:
        return None
    message = envelope.get("message")
    message = message if isinstance(message, str) and message else _phrase(decisive)
    detail = _detail(envelope.get("data"))
    if decisive == 429 or decisive >= 500:
        kind = errors.RateLimited if decisive == 429 else errors.ServerError
        wait_s = retry_after_s(response.headers, now_s)
        return kind(status, code, message, detail, response, wait_s)
    rejection = _BY_STATUS.get(decisive, errors.ApiError)
    is_about_credit = "insufficient credit" in f"{message} {detail}".lower().replace("_", " ")
    if rejection is errors.InvalidRequest and is_about_credit:
        rejection = errors.InsufficientCredits  # SUB-17
    return rejection(status, code, message, detail, response)


def failure_of_submit(error: errors.ApiError) -> errors.TaskFailed | None:
    """Return the failure that a rejected submit reports with a fail code, or None (FAIL-6).

    A 401, 429 or 5xx has another meaning, whatever its text says.
    """
    if type(error) not in _MAY_HAVE_FAIL_CODE:
        return None
    data = (_object_or_none(error.response.content) or {}).get("data")
    code = find_fail_code(data, error.message)
    if code is None:
        return None
    told = data.get("failMsg") if isinstance(data, dict) else None
    message = told if isinstance(told, str) and told else error.message
    return _BY_FAIL_CODE.get(code, errors.TaskFailed)(code, message, None)


def check_not_garbled(response: httpx.Response) -> None:
    """Raise UnexpectedResponse for a body that is not JSON, because it was damaged in transit."""
    if response.status_code != HTTPStatus.OK:
        return
    try:
        json.loads(response.content)
    except RecursionError:  # Deep nesting is valid JSON, so a retry would not help.
        return
    except ValueError as error:
        raise errors.UnexpectedResponse(
            "the body is not a JSON object", response.content, response, is_garbled=True
        ) from error


def read_accepted(response: httpx.Response, now_s: float) -> Task:
    """Return the task of an accepted submit (SUB-1); `now_s` is when it was accepted."""
    answer = _Answer(response.content, response)
    return Task(id=answer.task_id(), submitted_at_s=now_s)


def read_task(body: bytes, response: httpx.Response | None = None) -> Task:
    """Return the task in a status response or a callback; both have the same body (STA-3, CB-1)."""
    answer = _Answer(body, response)
    state = answer.state()
    return Task(
        id=answer.task_id(),
        state=state,
        result_urls=answer.result_urls() if state == "success" else (),
        fail_code=answer.text("failCode"),
        fail_msg=answer.text("failMsg"),
        create_time_ms=answer.integer("createTime"),
        complete_time_ms=answer.integer("completeTime"),
        cost_time_ms=answer.integer("costTime"),
        extra={name: value for name, value in answer.data.items() if name not in _TASK_MEMBERS},
    )


def read_balance(response: httpx.Response) -> Decimal:
    """Return the balance in dollars, exact to the last digit (BIL-2)."""
    dollars = _read_envelope(response.content, response, Decimal).get("data")
    if not isinstance(dollars, int | Decimal) or isinstance(dollars, bool):
        raise errors.UnexpectedResponse("data is not a number", response.content, response)
    balance = Decimal(dollars)
    # Written out, 1e999999999 has a billion digits.
    if abs(balance.adjusted()) > _DIGITS_MAX or len(balance.as_tuple().digits) > _DIGITS_MAX:
        raise errors.UnexpectedResponse("data is out of range", response.content, response)
    return balance


def generation_of(task: Task, num_images: int = IMAGES_MAX) -> Generation:
    """Return the result of a task that has ended.

    Raises TaskFailed if it failed, and UnexpectedResponse if it has more than `num_images` results:
    the client did not request the others (STA-7).
    """
    if task.state == "failed":
        kind = _BY_FAIL_CODE.get(task.fail_code, errors.TaskFailed)
        raise kind(task.fail_code, task.fail_msg, task)
    if (found := len(task.result_urls)) > num_images:
        raise errors.UnexpectedResponse(
            f"data.resultJson has {found} result URLs for num_images {num_images}"
        )
    return Generation(task=task, urls=task.result_urls)


def is_web_url(url: object) -> bool:
    """Return whether this is an http or https URL with a host."""
    if not isinstance(url, str) or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class _Answer:
    """The members of `data`, each checked; raises UnexpectedResponse for an invalid one."""

    def __init__(self, body: bytes, response: httpx.Response | None) -> None:
        self._body = body
        self._response = response
        data = _read_envelope(body, response).get("data")
        if not isinstance(data, dict):
            self._reject("the envelope has no object `data`")
        self.data: Mapping[str, object] = data

    def task_id(self) -> str:
        task_id = self.data.get("taskId")
        if not isinstance(task_id, str) or not task_id:
            self._reject("data.taskId is not a string")
        if len(task_id) > _NAME_MAX:
            self._reject(f"data.taskId is longer than {_NAME_MAX} characters")
        if task_id.encode("utf-8", "ignore").decode() != task_id:
            self._reject("data.taskId contains an unpaired surrogate")
        return task_id

    def state(self) -> str:
        state = self.data.get("state")
        if not isinstance(state, str) or not state:
            self._reject("data.state is not a string")
        if len(state) > _NAME_MAX:
            self._reject(f"data.state is longer than {_NAME_MAX} characters")
        return state

    def text(self, member: str) -> str | None:
        value = self.data.get(member)
        if value is not None and not isinstance(value, str):
            self._reject(f"data.{member} is not a string")
        return value

    def integer(self, member: str) -> int | None:
        value = self.data.get(member)
        if value is None:
            return None
        if type(value) is not int:
            self._reject(f"data.{member} is not an integer")
        if abs(value) > _INTEGER_MAX:
            self._reject(f"data.{member} is out of range")
        return value

    def result_urls(self) -> tuple[str, ...]:
        """Return the URLs in `resultJson`, a string that contains JSON (STA-6)."""
        encoded = self.data.get("resultJson")
        if not isinstance(encoded, str):
            self._reject("data.resultJson is not a string that contains JSON")
        result = _object_or_none(encoded.encode("utf-8", "surrogatepass"))
        if result is None:
            self._reject("data.resultJson does not contain a JSON object")
        urls = result.get("resultUrls")
        if not isinstance(urls, list) or not urls:
            self._reject("data.resultJson has no list resultUrls")
        if len(urls) > IMAGES_MAX:
            self._reject(
                f"data.resultJson has {len(urls)} result URLs; a task has at most {IMAGES_MAX}"
            )
        if not all(is_web_url(url) for url in urls):
            self._reject("data.resultJson contains an invalid result URL")
        return tuple(urls)

    def _reject(self, problem: str) -> NoReturn:
        raise errors.UnexpectedResponse(problem, self._body, self._response)


def _read_envelope(
    body: bytes, response: httpx.Response | None, fraction: type[float | Decimal] = float
) -> Mapping[str, object]:
    if response is not None and response.status_code != HTTPStatus.OK:
        raise errors.UnexpectedResponse("neither a success nor an error", body, response)
    envelope = _object_or_none(body, fraction)
    if envelope is None:
        raise errors.UnexpectedResponse("the body is not a JSON object", body, response)
    return envelope


def _object_or_none(
    body: bytes, fraction: type[float | Decimal] = float
) -> Mapping[str, object] | None:
    try:
        value = json.loads(
            body.decode("utf-8-sig"), parse_float=fraction, parse_constant=_reject_constant
        )
    # Decimal raises ArithmeticError for an exponent that is too large.
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _detail(data: object) -> str | None:
    """Return `data.error`, or the start of `data` if there is no such member."""
    if isinstance(data, dict):
        error = data.get("error")
        return error if isinstance(error, str) else json.dumps(data, default=str)[:200]
    return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an error without a message"
