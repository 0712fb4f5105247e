"""Inject meaning faults into responses: one pure function per fault."""

from collections.abc import Callable
from typing import Any

import msgspec

from mock_server.domain.faults.meaning import MeaningFault
from mock_server.web import envelope
from mock_server.web.answer import Answer, gone, missing
from mock_server.web.base_urls import on_another_host

_FLIPPED_BYTES = 64
_PAGE = b"<!doctype html><title>Not a picture</title><p>This is not a picture.\n"


def spoiled(answer: Answer, fault: MeaningFault, address: str) -> Answer:
    """Return a copy of a valid response with this fault; `address` is the URL of the request."""
    if fault is MeaningFault.RESULT_REDIRECTED:
        return _redirected(answer, address)
    if fault in _OF_RESULT:
        return _OF_RESULT[fault](answer)
    told = msgspec.json.decode(answer.body)
    return _with_body(answer, envelope.encode(_OF_STATUS[fault](told)))


def _changed_data(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda told: told | {"data": told["data"] | changes}


def _late(told: dict[str, Any]) -> dict[str, Any]:
    data = told["data"]
    kept = {name: data[name] for name in ("taskId", "createTime")}
    return told | {"data": kept | {"state": "processing"}}


def _with_unknown_members(told: dict[str, Any]) -> dict[str, Any]:
    """Add members that are not documented (ENV-4)."""
    more = {"queuePosition": 3, "metadata": {"region": "eu", "tags": ["a", None]}}
    return {"requestId": "req_7d1f", **told, "data": {**more, **told["data"]}, "warnings": []}


def _in_another_order(told: dict[str, Any]) -> dict[str, Any]:
    data = dict(reversed(told["data"].items()))
    return {"data": data, "message": told["message"], "code": told["code"]}


_OF_STATUS: dict[MeaningFault, Callable[[dict[str, Any]], dict[str, Any]]] = {
    MeaningFault.RESULT_JSON_MALFORMED: _changed_data(resultJson='{"resultUrls": ["https://'),
    MeaningFault.RESULT_URLS_EMPTY: _changed_data(resultJson='{"resultUrls":[]}'),
    MeaningFault.UNKNOWN_STATE: _changed_data(state="queued"),
    MeaningFault.UNKNOWN_MEMBERS: _with_unknown_members,
    MeaningFault.MEMBER_ORDER: _in_another_order,
    MeaningFault.FINAL_LATE: _late,
}


def _with_body(answer: Answer, body: bytes, content_type: bytes | None = None) -> Answer:
    return msgspec.structs.replace(
        answer, body=body, content_type=content_type or answer.content_type
    )


def _whole(answer: Answer) -> Answer:
    """Return the response as a 200 without the headers that describe the original picture."""
    return msgspec.structs.replace(answer, status=200, headers=())


def _corrupt(answer: Answer) -> Answer:
    middle = len(answer.body) // 2
    flipped = bytes(byte ^ 0xFF for byte in answer.body[middle : middle + _FLIPPED_BYTES])
    body = answer.body[:middle] + flipped + answer.body[middle + len(flipped) :]
    return _with_body(_whole(answer), body)


def _redirected(answer: Answer, address: str) -> Answer:
    headers = ((b"location", on_another_host(address).encode("latin-1")),)
    return msgspec.structs.replace(answer, status=302, body=b"", headers=headers, content_type=None)


_OF_RESULT: dict[MeaningFault, Callable[[Answer], Answer]] = {
    MeaningFault.RESULT_MISSING: lambda answer: missing(answer.now_ms, answer.task_id),
    MeaningFault.RESULT_EXPIRED: lambda answer: gone(answer.now_ms, answer.task_id),
    MeaningFault.RESULT_TRUNCATED: lambda answer: _with_body(
        _whole(answer), answer.body[: len(answer.body) // 2]
    ),
    MeaningFault.RESULT_CORRUPT: _corrupt,
    MeaningFault.RESULT_WRONG_TYPE: lambda answer: _with_body(_whole(answer), _PAGE, b"text/html"),
}
