"""Answers that arrive whole and say something wrong: meaning faults, pure."""

from collections.abc import Callable
from typing import Any

import msgspec

from mock_server.web import envelope
from mock_server.web.answer import Answer
from mock_server.web.exchange import gone, missing

_FLIPPED_BYTES = 64
_PAGE = b"<!doctype html><title>Not a picture</title><p>This is not a picture.\n"


def spoiled(answer: Answer, meaning: str) -> Answer:
    """Return a good answer with this fault in it."""
    if meaning in _OF_RESULT:
        return _OF_RESULT[meaning](answer)
    told = msgspec.json.decode(answer.body)
    return _with_body(answer, envelope.encode(_OF_STATUS[meaning](told)))


def _changed_data(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda told: told | {"data": told["data"] | changes}


def _late(told: dict[str, Any]) -> dict[str, Any]:
    data = told["data"]
    kept = {name: data[name] for name in ("taskId", "createTime")}
    return told | {"data": kept | {"state": "processing"}}


def _with_unknown_members(told: dict[str, Any]) -> dict[str, Any]:
    """ENV-4."""
    more = {"queuePosition": 3, "metadata": {"region": "eu", "tags": ["a", None]}}
    return {"requestId": "req_7d1f", **told, "data": {**more, **told["data"]}, "warnings": []}


def _in_another_order(told: dict[str, Any]) -> dict[str, Any]:
    data = dict(reversed(told["data"].items()))
    return {"data": data, "message": told["message"], "code": told["code"]}


_OF_STATUS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "result-json-malformed": _changed_data(resultJson='{"resultUrls": ["https://'),
    "result-urls-empty": _changed_data(resultJson='{"resultUrls":[]}'),
    "unknown-state": _changed_data(state="queued"),
    "unknown-members": _with_unknown_members,
    "member-order": _in_another_order,
    "final-late": _late,
}


def _with_body(answer: Answer, body: bytes, content_type: bytes | None = None) -> Answer:
    return msgspec.structs.replace(
        answer, body=body, content_type=content_type or answer.content_type
    )


def _whole(answer: Answer) -> Answer:
    """Drop what describes the true picture."""
    return msgspec.structs.replace(answer, status=200, headers=())


def _corrupt(answer: Answer) -> Answer:
    middle = len(answer.body) // 2
    flipped = bytes(byte ^ 0xFF for byte in answer.body[middle : middle + _FLIPPED_BYTES])
    body = answer.body[:middle] + flipped + answer.body[middle + len(flipped) :]
    return _with_body(_whole(answer), body)


_OF_RESULT: dict[str, Callable[[Answer], Answer]] = {
    "result-missing": lambda answer: missing(answer.now_ms, answer.task_id),
    "result-expired": lambda answer: gone(answer.now_ms, answer.task_id),
    "result-truncated": lambda answer: _with_body(
        _whole(answer), answer.body[: len(answer.body) // 2]
    ),
    "result-corrupt": _corrupt,
    "result-wrong-type": lambda answer: _with_body(_whole(answer), _PAGE, b"text/html"),
}
