"""Legal variations that differ where no page, or only one of several, says what a server does."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import msgspec

from tests.contract_tests.mutants.harness import Asked, Break, Serve, Told
from tests.contract_tests.mutants.legal.variation import Change, Variation, data_of
from tests.contract_tests.mutants.steering import BALANCE, refusal, steer

_FAILING = ("S-FAIL-00*", "S-SUB-089", "S-SUB-09[01]", "S-CB-00[1-3]", "S-STA-00[5-9]", "S-TRF-002")
_TWO_KEYS = ("S-AUTH-02[45]", "S-TRF-002")
_BILLS = ("S-BIL-00*", "S-FAIL-005", "S-TRF-002")
_COSTS = ("S-STA-009", "S-STA-010", "S-STA-203", "S-TRF-002")
_RESULTS = ("S-RES-006", "S-RES-007")


def _failing_at_once() -> Break:
    """Reject a submit at once whose task would fail (FAIL-6)."""

    async def answer(asked: Asked, serve: Serve) -> Told:
        code = await _fail_code(asked, serve) if asked.is_submit else None
        if code is None:
            return await serve(asked)
        return refusal(400, f"{code}: the submit cannot be served", code)

    return answer


async def _fail_code(asked: Asked, serve: Serve) -> str | None:
    """Return the code with which the task of a submit would fail, by a submit of another key."""
    other = _of_another_key(asked)
    told = await serve(_without_callback(other))
    if told.status != 200:
        return None
    task = await steer(other, serve, "GET", f"tasks/{told.json['data']['taskId']}")
    code: str | None = task["plan"]["fail_code"]
    return code


def _of_another_key(asked: Asked) -> Asked:
    header = (b"authorization", f"Bearer {uuid4().hex}".encode())
    kept = [each for each in asked.headers if each[0] != b"authorization"]
    has_key = len(kept) < len(asked.headers)
    return replace(asked, headers=(*kept, header) if has_key else tuple(kept))


def _without_callback(asked: Asked) -> Asked:
    try:
        body = asked.json
    except (msgspec.DecodeError, UnicodeDecodeError):
        return asked
    is_valid = isinstance(body, dict) and isinstance(body.get("callback_url"), str)
    if not is_valid or body.get("request_type") != "callback" or not body["callback_url"]:
        return asked
    return replace(asked, body=msgspec.json.encode(body | {"request_type": "async"}))


def _refusing(what: Callable[[dict[str, Any]], bool], path: str) -> Callable[[], Break]:
    """Reject submits that the mock accepts, because of one member of `input`."""

    async def answer(asked: Asked, serve: Serve) -> Told:
        if asked.is_submit and await _is_valid(asked, serve) and what(asked.json):
            return refusal(400, f"Invalid {path}", path)
        return await serve(asked)

    return lambda: answer


async def _is_valid(asked: Asked, serve: Serve) -> bool:
    return (await serve(_without_callback(_of_another_key(asked)))).status == 200


def _has_data_urls(body: dict[str, Any]) -> bool:
    return any(url.startswith("data:") for url in body["input"].get("image_urls") or ())


def _has_unknown_members(body: dict[str, Any]) -> bool:
    known = {"request_type", "callback_url", "provider", "input"}
    of_input = {"mode", "prompt", "aspect_ratio", "num_images", "image_urls"}
    return not (body.keys() <= known and body["input"].keys() <= of_input)


def _has_nulls(body: dict[str, Any]) -> bool:
    return None in (*body.values(), *body["input"].values())


def _two_by_default() -> Break:
    async def answer(asked: Asked, serve: Serve) -> Told:
        if asked.is_submit and await _is_valid(asked, serve):
            body = asked.json
            body["input"].setdefault("num_images", 2)
            return await serve(replace(asked, body=msgspec.json.encode(body)))
        return await serve(asked)

    return answer


def _sharing() -> Break:
    """Show each task to every key."""
    owners: dict[str, bytes] = {}

    async def answer(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if asked.is_submit and told.status == 200:
            owners[told.json["data"]["taskId"]] = asked.header(b"authorization")
        query = asked.query.decode("latin-1").removeprefix("taskId=")
        if asked.is_status and told.status == 404 and query in owners:
            return await serve(_with_key(asked, owners[query]))
        return told

    return answer


def _with_key(asked: Asked, key: bytes) -> Asked:
    kept = [each for each in asked.headers if each[0] != b"authorization"]
    return replace(asked, headers=(*kept, (b"authorization", key)))


def _one_scheme() -> Break:
    """Require the spelling of the documents: `Bearer`, one space, the key."""

    async def answer(asked: Asked, serve: Serve) -> Told:
        key = asked.header(b"authorization")
        if key and not re.fullmatch(rb"Bearer \S+", key):
            return refusal(401, "Unauthorized", "invalid API key")
        return await serve(asked)

    return answer


def _billing_failures() -> Break:
    billed: dict[bytes, float] = {}

    async def answer(asked: Asked, serve: Serve) -> Told:
        code = await _fail_code(asked, serve) if asked.is_submit else None
        told, key = await serve(asked), asked.header(b"authorization")
        if code is not None and told.status == 200:
            images = asked.json["input"].get("num_images") or 1
            billed[key] = billed.get(key, 0.0) + 0.035 * images
        if asked.path == BALANCE and told.status == 200:
            left = round(told.json["data"] - billed.get(key, 0.0), 6)
            return told.with_json(told.json | {"data": left})
        return told

    return answer


def _status_of(status: int, is_asked: Callable[[Asked], bool]) -> Change:
    """Answer requests that the mock answers 400 or 404 with another status."""
    return lambda asked, told: (
        told.with_status(status) if told.status in {400, 404} and is_asked(asked) else told
    )


def _asks_without_id(asked: Asked) -> bool:
    return asked.is_status and not asked.query.decode("latin-1").removeprefix("taskId=")


def _asks_with_odd_id(asked: Asked) -> bool:
    return asked.is_status and b"%" in asked.query


def _with_key_only(asked: Asked, told: Told) -> Told:
    if asked.is_result and told.status == 200 and not asked.header(b"authorization"):
        return refusal(401, "Unauthorized", "missing API key")
    return told


def _longer(data: dict[str, Any]) -> dict[str, Any]:
    """Count the wait in the queue of another system, which began before the submit."""
    return data | {"costTime": data["costTime"] + 60_000} if data.get("costTime") else data


def _named(asked: Asked, told: Told) -> Told:
    """Add an id of the request, as servers do for their logs."""
    if not asked.is_status or told.status != 200:
        return told
    return told.with_json(told.json | {"data": told.json["data"] | {"requestId": uuid4().hex}})


CHOICES = (
    Variation(name="failures-at-once", clause="FAIL-6", cases=_FAILING, make=_failing_at_once,
              is_foreign_only=True),
    Variation(name="no-data-urls", clause="SUB-13", cases=_FAILING,
              make=_refusing(_has_data_urls, "input.image_urls"), is_foreign_only=True,
              may_warn=("SUB-13", "FAIL-4")),
    Variation(name="no-unknown-members", clause="SUB-15", cases=("S-SUB-04[12]", "S-SUB-104"),
              make=_refusing(_has_unknown_members, "body"), is_foreign_only=True,
              may_warn=("SUB-15", "SUB-16")),
    Variation(name="no-members-that-are-null", clause="SUB-11", cases=("S-SUB-086", "S-SUB-101"),
              make=_refusing(_has_nulls, "input"), is_foreign_only=True,
              may_warn=("SUB-3", "SUB-6", "SUB-10", "SUB-11", "SUB-12")),
    Variation(name="two-images-by-default", clause="SUB-11", cases=("S-SUB-085", "S-BIL-00*"),
              make=_two_by_default, is_foreign_only=True, may_warn=("SUB-11", "STA-7")),
    Variation(name="tasks-for-every-key", clause="AUTH-4", cases=_TWO_KEYS, make=_sharing,
              is_foreign_only=True, may_warn=("AUTH-4",)),
    Variation(name="one-spelling-of-the-scheme", clause="AUTH-3", cases=("S-AUTH-02*",),
              make=_one_scheme, is_foreign_only=True, may_warn=("AUTH-3",)),
    Variation(name="404-without-a-task-id", clause="STA-1", cases=("S-STA-00[12]",),
              change=_status_of(404, _asks_without_id), is_foreign_only=True),
    Variation(name="400-for-odd-task-ids", clause="STA-2", cases=("S-STA-00[34]",),
              change=_status_of(400, _asks_with_odd_id), is_foreign_only=True,
              may_warn=("STA-2",)),
    Variation(name="cost-time-of-the-whole-system", clause="STA-10", cases=_COSTS,
              body=data_of(_longer), is_foreign_only=True, may_warn=("STA-10",)),
    Variation(name="ids-of-requests-in-status-data", clause="STA-5", cases=("S-STA-01[12]",),
              change=_named, is_foreign_only=True, may_warn=("STA-5",)),
    Variation(name="bills-for-failed-tasks", clause="FAIL-5", cases=_BILLS,
              make=_billing_failures, is_foreign_only=True, may_warn=("FAIL-5",)),
    Variation(name="downloads-with-a-key", clause="RES-3", cases=_RESULTS,
              change=_with_key_only, is_foreign_only=True, may_warn=("RES-3",)),
)  # fmt: skip
