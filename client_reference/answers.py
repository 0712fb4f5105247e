"""Reads what the service answers: into values, or into errors of the tree."""

import json
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlsplit

import httpx

from client_reference import errors
from client_reference.retry_after import retry_after_s
from client_reference.task import Generation, Task

_KNOWN = frozenset(
    {
        "taskId", "state", "resultJson", "failCode", "failMsg",
        "createTime", "completeTime", "costTime",
    }
)  # fmt: skip
_BY_STATUS: Mapping[int, type[errors.ApiError]] = {
    400: errors.InvalidRequest,
    401: errors.AuthenticationError,
    402: errors.InsufficientCredits,
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


def refusal(response: httpx.Response, now_s: float) -> errors.ApiError | None:
    """Return the error that a response stands for, by its status or its envelope's code (ENV-2)."""
    envelope = _object_or_none(response.content)
    code = envelope.get("code") if envelope else None
    code = code if type(code) is int else response.status_code
    status = response.status_code
    decisive = status if status >= 400 else code
    if not 400 <= decisive <= 599:
        return None
    message = envelope.get("message") if envelope else None
    data = envelope.get("data") if envelope else None
    message = message if isinstance(message, str) and message else _reason(decisive)
    detail = _detail(data)
    if decisive == 429 or decisive >= 500:
        kind = errors.RateLimited if decisive == 429 else errors.ServerError
        wait_s = retry_after_s(response.headers, now_s)
        return kind(status, code, message, detail, response, wait_s)
    refused = _BY_STATUS.get(decisive, errors.ApiError)
    if refused is errors.InvalidRequest and "insufficient credit" in f"{message} {detail}".lower():
        refused = errors.InsufficientCredits  # SUB-17
    return refused(status, code, message, detail, response)


def check_readable(response: httpx.Response) -> None:
    """Raise UnexpectedResponse for a body that is no JSON, as when it was lost on its way."""
    if response.status_code != HTTPStatus.OK:
        return
    try:
        json.loads(response.content)
    except RecursionError:
        return
    except ValueError as error:
        raise errors.UnexpectedResponse(
            "the body is not a JSON object", response.content, response, is_garbled=True
        ) from error


def accepted(response: httpx.Response, now_s: float) -> Task:
    """Read the answer to a submit (SUB-1)."""
    data = _data(response.content, response)
    return Task(id=_task_id(data, response.content, response), submitted_at_s=now_s)


def task_of(body: bytes, response: httpx.Response | None = None) -> Task:
    """Read the answer to a status request, or a callback, which is the same (STA-3, CB-1)."""
    data = _data(body, response)
    state = data.get("state")
    if not isinstance(state, str) or not state:
        _unexpected("data.state is not a string", body, response)

    def text(member: str) -> str | None:
        value = data.get(member)
        if value is not None and not isinstance(value, str):
            _unexpected(f"data.{member} is not a string", body, response)
        return value

    def milliseconds(member: str) -> int | None:
        value = data.get(member)
        if value is not None and type(value) is not int:
            _unexpected(f"data.{member} is not a whole number", body, response)
        return value

    return Task(
        id=_task_id(data, body, response),
        state=state,
        result_urls=_result_urls(data, body, response) if state == "success" else (),
        fail_code=text("failCode"),
        fail_msg=text("failMsg"),
        create_time_ms=milliseconds("createTime"),
        complete_time_ms=milliseconds("completeTime"),
        cost_time_ms=milliseconds("costTime"),
        extra={name: data[name] for name in data if name not in _KNOWN},
    )


def balance_of(response: httpx.Response) -> Decimal:
    """Read the balance in dollars, to the last digit (BIL-2)."""
    envelope = _envelope(response.content, response, Decimal)
    dollars = envelope.get("data")
    if not isinstance(dollars, int | Decimal) or isinstance(dollars, bool):
        _unexpected("data is not a number", response.content, response)
    return Decimal(dollars)


def generation_of(task: Task) -> Generation:
    """Raise TaskFailed where the task has failed."""
    if task.state == "failed":
        kind = _BY_FAIL_CODE.get(task.fail_code, errors.TaskFailed)
        raise kind(task.fail_code, task.fail_msg, task)
    return Generation(task=task, urls=task.result_urls)


def _result_urls(
    data: Mapping[str, object], body: bytes, response: httpx.Response | None
) -> tuple[str, ...]:
    """STA-6: a string that holds JSON."""
    written = data.get("resultJson")
    if not isinstance(written, str):
        _unexpected("data.resultJson is not a string that holds JSON", body, response)
    result = _object_or_none(written.encode("utf-8", "surrogatepass"))
    if result is None:
        _unexpected("data.resultJson does not hold a JSON object", body, response)
    urls = result.get("resultUrls")
    if not isinstance(urls, list) or not urls:
        _unexpected("data.resultJson holds no list of resultUrls", body, response)
    if not all(is_web_address(url) for url in urls):
        _unexpected("data.resultJson holds a result that is no web address", body, response)
    return tuple(urls)


def is_web_address(url: object) -> bool:
    if not isinstance(url, str) or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _task_id(data: Mapping[str, object], body: bytes, response: httpx.Response | None) -> str:
    task_id = data.get("taskId")
    if not isinstance(task_id, str) or not task_id:
        _unexpected("data.taskId is not a string", body, response)
    if task_id.encode("utf-8", "ignore").decode() != task_id:
        _unexpected("data.taskId holds half a surrogate pair", body, response)
    return task_id


def _data(body: bytes, response: httpx.Response | None) -> Mapping[str, object]:
    data = _envelope(body, response).get("data")
    if not isinstance(data, dict):
        _unexpected("the envelope has no object `data`", body, response)
    return data


def _envelope(
    body: bytes, response: httpx.Response | None, fraction: type[float | Decimal] = float
) -> Mapping[str, object]:
    if response is not None and response.status_code != HTTPStatus.OK:
        _unexpected("neither a success nor an error", body, response)
    envelope = _object_or_none(body, fraction)
    if envelope is None:
        _unexpected("the body is not a JSON object", body, response)
    return envelope


def _object_or_none(
    body: bytes, fraction: type[float | Decimal] = float
) -> Mapping[str, object] | None:
    try:
        value = json.loads(
            body.decode("utf-8-sig"), parse_float=fraction, parse_constant=_no_number
        )
    except (ValueError, ArithmeticError, RecursionError):  # Decimal has exponents of its own
        return None
    return value if isinstance(value, dict) else None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _detail(data: object) -> str | None:
    """Return `data.error`, or all of `data` where the service says something else."""
    if isinstance(data, dict):
        error = data.get("error")
        return error if isinstance(error, str) else json.dumps(data, default=str)[:200]
    return None


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an error without a message"


def _unexpected(problem: str, body: bytes, response: httpx.Response | None) -> NoReturn:
    raise errors.UnexpectedResponse(problem, body, response)
