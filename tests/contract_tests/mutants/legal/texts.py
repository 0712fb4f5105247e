"""Legal variations of JSON: further members, their order, how it is written, messages."""

import json
from typing import Any

import msgspec

from tests.contract_tests.mutants.harness import Asked, Told
from tests.contract_tests.mutants.legal.variation import (
    Envelope,
    Variation,
    data_of,
    of_errors,
    of_submits,
    reencoded,
    rewritten,
)

_MEMBERS = ("S-STA-00*", "S-STA-01*", "S-ENV-00*", "S-CB-00[1-4]", "S-STA-201")
_ERRORS = ("S-ENV-00*", "S-AUTH-00*", "S-SUB-02*", "S-SUB-03*", "S-SUB-103", "S-STA-00*")
_SUBMITS = ("S-SUB-00*", "S-SUB-10[1-4]", "S-BIL-00*", "S-SUB-091")
_MESSAGES = {
    400: "Bad request", 401: "Who are you?", 402: "Please pay", 403: "No", 404: "Nothing here",
    429: "Slow down",
}  # fmt: skip


def _result(change: Any) -> Any:
    def changed(data: dict[str, Any]) -> dict[str, Any]:
        if "resultJson" not in data:
            return data
        return data | {"resultJson": change(json.loads(data["resultJson"]))}

    return data_of(changed)


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return value


def _detail(whole: Envelope) -> str:
    data = whole.get("data")
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def _without_data(whole: Envelope) -> Envelope:
    return {"code": whole["code"], "message": f"{whole['message']}: {_detail(whole)}"}


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _escaped(value: Any) -> str:
    """Write JSON with as many escapes as it may have."""
    return json.dumps(value).replace("/", "\\/")


def _pretty_bytes(body: bytes) -> bytes:
    return _pretty(json.loads(body)).encode()


def _other_messages(whole: Envelope) -> Envelope:
    return whole | {"message": _MESSAGES.get(whole["code"], "An error")}


def _no_pending(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"state": "processing"} if data["state"] == "pending" else data


def _other_fail_message(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"failMsg": "Nie udało się 🦊"} if "failMsg" in data else data


def _whole_cents(asked: Asked, told: Told) -> Told:
    if not asked.path.endswith("/current-balance") or told.status != 200:
        return told
    return told.with_json(told.json | {"data": round(told.json["data"], 2)})


TEXTS = (
    Variation(name="a-member-more-in-envelopes", clause="ENV-4", cases=_MEMBERS,
              change=rewritten(lambda whole: whole | {"requestId": "req_1"}),
              body=lambda body: msgspec.json.encode(
                  msgspec.json.decode(body) | {"requestId": "req_1"})),
    Variation(name="credits-in-accepted-submits", clause="ENV-4", cases=_SUBMITS,
              change=of_submits(lambda data: data | {"credits": 12, "creditsUsed": 1})),
    Variation(name="more-in-accepted-submits", clause="ENV-4", cases=_SUBMITS,
              change=of_submits(lambda data: data | {
                  "status": "queued", "error": None, "estimatedTime": 30})),
    Variation(name="more-in-status-data", clause="ENV-4", cases=_MEMBERS,
              body=data_of(lambda data: data | {
                  "model": "gpt-image-1", "progress": 50, "usage": {"images": 1}, "note": None})),
    Variation(name="expiry-in-status-data", clause="ENV-4", cases=_MEMBERS,
              body=data_of(lambda data: data | {
                  "expireTime": data["createTime"] + 1_296_000_000, "updateTime": None})),
    Variation(name="more-in-results", clause="ENV-4", cases=(*_MEMBERS, "S-RES-00*"),
              body=_result(lambda result: json.dumps(result | {
                  "seed": 7, "firstFrameUrl": "", "usage": {"total": 1}}))),
    Variation(name="pretty-printed-results", clause="STA-6", cases=(*_MEMBERS, "S-RES-00*"),
              body=_result(lambda result: json.dumps(result, indent=2))),
    Variation(name="members-in-reverse-order", clause="ENV-1", cases=_MEMBERS,
              change=rewritten(_reversed),
              body=lambda body: msgspec.json.encode(_reversed(msgspec.json.decode(body)))),
    Variation(name="pretty-printed-json", clause="ENV-1", cases=_MEMBERS,
              change=reencoded(_pretty)),
    Variation(name="escaped-json", clause="ENV-1", cases=_MEMBERS, change=reencoded(_escaped)),
    Variation(name="pretty-printed-callbacks", clause="CB-1", cases=("S-CB-0*", "S-STA-201"),
              body=_pretty_bytes),
    Variation(name="other-messages-on-errors", clause="ENV-2", cases=_ERRORS,
              change=of_errors(_other_messages)),
    Variation(name="detail-in-the-message", clause="ENV-2", cases=_ERRORS,
              change=of_errors(lambda whole: _without_data(whole) | {"data": None})),
    Variation(name="detail-in-message-and-data", clause="ENV-2", cases=_ERRORS,
              change=of_errors(lambda whole: _without_data(whole) | {"data": whole["data"]})),
    Variation(name="no-data-on-errors", clause="ENV-2", cases=_ERRORS,
              change=of_errors(_without_data)),
    Variation(name="more-detail-on-errors", clause="ENV-2", cases=_ERRORS,
              change=of_errors(lambda whole: whole | {"data": {
                  "error": _detail(whole), "type": "invalid_request", "requestId": None}})),
    Variation(name="no-pending-state", clause="STA-4", cases=(*_MEMBERS, "S-STA-20*"),
              body=data_of(_no_pending)),
    Variation(name="other-fail-messages", clause="STA-8", cases=("S-FAIL-00*", "S-STA-00*"),
              body=data_of(_other_fail_message)),
    Variation(name="balance-in-cents", clause="BIL-2", cases=("S-BIL-0*", "S-FAIL-005"),
              change=_whole_cents, is_foreign_only=True),  # The mock tells exact dollars.
)  # fmt: skip
