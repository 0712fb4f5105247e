"""Responses that the client reads: it returns a value, or raises an error of its own classes."""

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import httpx

from client_reference import answers
from client_reference.errors import ApixoError
from client_reference.task import Task
from tests.fuzz.generators import HARD_JSON, after, filled, json_text
from tests.fuzz.target import Target

_NOW_S = 1_800_000_000.0
_STATUSES = (200, 400, 401, 402, 403, 404, 429, 500, 503, 299, 304)


def _parts(raw: bytes) -> tuple[httpx.Response, bytes]:
    """Return a response whose status and Retry-After are the beginning of the input."""
    status = _STATUSES[raw[0] % len(_STATUSES)] if raw else 200
    header, mark, body = raw[1:].partition(b"\xff")
    if not mark:
        header, body = b"", raw[1:]
    value = bytes(byte for byte in header if byte >= 0x20)
    headers = [(b"Retry-After", value), (b"Date", value[::-1])]
    return httpx.Response(status, headers=headers, content=body), body


def _handle(raw: bytes) -> None:
    response, body = _parts(raw)
    for read in _readers(response, body):
        with suppress(ApixoError):
            read()


def _readers(response: httpx.Response, body: bytes) -> list[Callable[[], Any]]:
    return [
        lambda: answers.read_error(response, _NOW_S),
        lambda: answers.check_not_garbled(response),
        lambda: answers.read_accepted(response, _NOW_S),
        lambda: answers.read_task(body),
        lambda: answers.read_balance(response),
    ]


def _check(raw: bytes) -> None:
    response, body = _parts(raw)
    for read in _readers(response, body):
        with suppress(ApixoError):
            read()
    error = answers.read_error(response, _NOW_S)
    if error is not None:
        assert len(str(error)) < 2 * len(body) + 1_000
        failure = answers.failure_of_submit(error)
        assert failure is None or failure.fail_code
    with suppress(ApixoError):
        dollars = answers.read_balance(response)
        assert isinstance(dollars, Decimal)
        assert dollars.is_finite()
    with suppress(ApixoError):
        _check_task(answers.read_task(body))


def _check_task(task: Task) -> None:
    assert task.id.encode()
    data: dict[str, Any] = {
        **task.extra,
        "taskId": task.id,
        "state": task.state,
        "failCode": task.fail_code,
        "failMsg": task.fail_msg,
        "createTime": task.create_time_ms,
        "completeTime": task.complete_time_ms,
        "costTime": task.cost_time_ms,
    }
    if task.state == "success":
        assert task.result_urls
        data["resultJson"] = json.dumps({"resultUrls": task.result_urls})
    again = answers.read_task(json.dumps({"data": data}).encode())
    assert again == task
    with suppress(ApixoError):
        assert answers.generation_of(task).urls == task.result_urls


def _seeds() -> list[bytes]:
    done = {
        "taskId": "task-1", "state": "success", "createTime": 1, "completeTime": 2, "costTime": 1,
        "resultJson": '{"resultUrls":["https://results.test/1.png?x=1"]}',
    }  # fmt: skip
    failed = {"taskId": "task-1", "state": "failed", "failCode": "NSFW", "failMsg": "no"}
    return [
        b"\0" + json.dumps({"code": 200, "message": "success", "data": done}).encode(),
        b"\0" + json.dumps({"code": 200, "data": failed}).encode(),
        b"\0" + b'{"code":200,"data":12.345000000000000000001}',
        b"\x067, Fri, 31 Dec 1999 23:59:59 GMT\xff" + b'{"code":429,"message":"busy","data":null}',
        b"\1" + b'{"code":400,"message":"insufficient_credits","data":{"error":"x"}}',
        b"\4" + b'{"code":403,"message":"no","data":{"failCode":"CONTENT_VIOLATION"}}',
        b"\x08\xff<html>",
        b"\0\xff\xef\xbb\xbf{}",
    ]


_DATA = b'\0{"data":{"taskId":"a","state":"success","resultJson":"'

TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=_seeds,
    words=(
        b'"data"',
        b'"taskId"',
        b'"resultJson"',
        b'\\"resultUrls\\"',
        b"\xff",
        b"1e999",
        b"NaN",
        b"http://",
        b"GMT",
        b"\\ud800",
        b"-0000",
    ),
    worst={name: after(b"\0", make) for name, make in HARD_JSON.items()}
    | {
        "lists in resultJson": filled(_DATA, b"[", b'"}}'),
        "addresses": json_text(_DATA + b'{\\"resultUrls\\":[', '"http://a",', b'0]}"}}'),
        "waits": filled(b"\6", b"1,", b"\xff{}"),
        "dates": filled(b"\6", b"Fri, 31 Dec 1999 23:59:59 GMT,", b"\xff{}"),
        "an error message": filled(b'\1{"code":400,"message":"', b"_", b'"}'),
        "words of a fail code": filled(b'\1{"code":400,"message":"', b"NSFW", b'"}'),
    },
)
