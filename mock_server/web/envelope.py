"""Encode the provider's response envelope (ENV-1 … ENV-3).

Every status request passes here, so the constant parts are encoded once.
"""

from typing import Protocol

import msgspec

from mock_server.domain.task import FAILED, PENDING, PROCESSING, Task, state_at
from mock_server.web.result_addresses import result_urls

JSON = b"application/json"
_PENDING = b'","state":"pending","createTime":%d}}'
_PROCESSING = b'","state":"processing","createTime":%d}}'
_HEAD = b'{"code":200,"message":"success","data":{"taskId":"'
_SUCCESS = b'","state":"success","resultJson":%b,"createTime":%d,"completeTime":%d,"costTime":%d}}'
_FAILED = (
    b'","state":"failed","failCode":%b,"failMsg":%b'
    b',"createTime":%d,"completeTime":%d,"costTime":%d}}'
)


class SeedSource(Protocol):
    """The seed of a sandbox, on which result URLs depend. Only a success needs it."""

    @property
    def seed(self) -> int: ...


encode = msgspec.json.Encoder().encode


def accepted(task: Task) -> bytes:
    """Return the response to an accepted submit (SUB-1)."""
    return _HEAD + task.id.encode() + b'"}}'


def status(task: Task, now_ms: int, sandbox: SeedSource) -> bytes:
    """Return the response to a status request at this instant (STA-3 … STA-10).

    `sandbox` is the one that holds the task.
    """
    state = state_at(task, now_ms)
    head = _HEAD + task.id.encode()
    if state is PENDING:
        return head + _PENDING % task.created_ms
    if state is PROCESSING:
        return head + _PROCESSING % task.created_ms
    times = (task.created_ms, task.end_ms, task.cost_time_ms)
    if state is FAILED:  # STA-8
        ending = task.ending
        return head + _FAILED % (encode(ending.fail_code), encode(ending.fail_message), *times)
    result_json = encode({"resultUrls": result_urls(task, sandbox.seed)}).decode()  # STA-6
    return head + _SUCCESS % (encode(result_json), *times)


def balance(microusd: int) -> bytes:
    """Return the response to a balance request, in dollars (BIL-2)."""
    return b'{"code":200,"message":"success","data":%b}' % encode(microusd / 1_000_000)


def error(
    status_code: int, message: str, detail: str | None = None, *, fail_code: str | None = None
) -> bytes:
    """Return an error response; `detail` becomes `data.error` (ENV-2).

    With a fail code the submit itself has failed: `data` has the members of a failed task (FAIL-6).
    """
    data = None if detail is None else {"error": detail}
    if fail_code is not None:
        data = {
            "error": detail or f"{fail_code}: {message}",
            "failCode": fail_code,
            "failMsg": message,
        }
    return encode({"code": status_code, "message": message, "data": data})


def error_without_data(status_code: int, message: str) -> bytes:
    """Return an error response without `data`, as the authentication page shows one (ENV-2)."""
    return encode({"code": status_code, "message": message})
