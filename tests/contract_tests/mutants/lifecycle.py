"""Servers that are wrong for some submissions or at some moments only: for properties and walks."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from tests.contract_tests.mutants.harness import (
    Asked,
    Break,
    Mutant,
    Serve,
    Told,
    answers,
    requests,
)
from tests.contract_tests.mutants.steering import refusal

_HOUR_MS = 3_600_000


def _later(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[], Break]:
    """Change what is told of a task that ended more than an hour ago."""

    def changed(asked: Asked, told: Told) -> Told:
        if not asked.is_status or told.status != 200:
            return told
        envelope, date = told.json, dict(told.headers)[b"date"].decode()
        now_ms = parsedate_to_datetime(date).timestamp() * 1000
        data = envelope["data"]
        if now_ms - data.get("completeTime", now_ms) < _HOUR_MS:
            return told
        return told.with_json(envelope | {"data": change(data)})

    return answers(changed)


def _signed_anew(data: dict[str, Any]) -> dict[str, Any]:
    if "resultJson" not in data:
        return data
    urls = [f"{url}?signed=again" for url in json.loads(data["resultJson"])["resultUrls"]]
    return data | {"resultJson": json.dumps({"resultUrls": urls})}


def _ended_tasks_for_all() -> Break:
    keys: set[bytes] = set()

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if asked.is_submit:
            keys.add(asked.header(b"authorization"))
        if asked.is_status and told.status == 404:
            for key in sorted(keys):
                seen = await serve(_with_key(asked, key))
                if seen.status == 200 and "completeTime" in seen.json["data"]:
                    return seen
        return told

    return broken


def _with_key(asked: Asked, key: bytes) -> Asked:
    others = tuple(each for each in asked.headers if each[0] != b"authorization")
    return replace(asked, headers=(*others, (b"authorization", key)))


def _prompt(change: Callable[[str], str]) -> Callable[[], Break]:
    """Change every prompt on its way in."""

    def changed(asked: Asked) -> Asked:
        body = _submitted(asked)
        if body is None or not isinstance(body["input"].get("prompt"), str):
            return asked
        prompt = change(body["input"]["prompt"])
        return replace(
            asked, body=msgspec.json.encode(body | {"input": body["input"] | {"prompt": prompt}})
        )

    return requests(changed)


def _refusing(path: str, is_refused: Callable[[dict[str, Any]], bool]) -> Callable[[], Break]:
    """Refuse some submissions that are valid."""

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        body = _submitted(asked)
        if told.status == 200 and body is not None and is_refused(body):
            return refusal(400, "Invalid request", f"{path}: is not taken")
        return told

    return lambda: broken


def _taking(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[], Break]:
    """Take `input` for another one."""

    def changed(asked: Asked) -> Asked:
        body = _submitted(asked)
        if body is None:
            return asked
        return replace(asked, body=msgspec.json.encode(body | {"input": change(body["input"])}))

    return requests(changed)


def _submitted(asked: Asked) -> dict[str, Any] | None:
    """Return the body of a submit that has an input."""
    if not asked.is_submit:
        return None
    try:
        body = asked.json
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    is_whole = isinstance(body, dict) and isinstance(body.get("input"), dict)
    return body if is_whole else None


def _text(body: dict[str, Any]) -> str:
    prompt: str = body["input"]["prompt"]
    return prompt


def _short_paths(asked: Asked, told: Told) -> Told:
    if not asked.is_submit or told.status != 400:
        return told
    return replace(told, body=told.body.replace(b"input.", b""))


def _crash_on_odd_types(asked: Asked, told: Told) -> Told:
    body = _submitted(asked)
    is_odd = body is not None and isinstance(body["input"].get("num_images"), dict | list)
    return told.with_status(500) if is_odd else told


def _any_case(given: dict[str, Any]) -> dict[str, Any]:
    """Take `Prompt` for `prompt`, if it is a text."""
    other = given.get("Prompt")
    return given | {"prompt": other} if isinstance(other, str) and other else given


def _true_is_one(given: dict[str, Any]) -> dict[str, Any]:
    return given | {"num_images": 1} if given.get("num_images") is True else given


def _four_are_square(given: dict[str, Any]) -> dict[str, Any]:
    return given | {"aspect_ratio": "1:1"} if given.get("num_images") == 4 else given


def _four_upright_are_two(given: dict[str, Any]) -> dict[str, Any]:
    is_it = given.get("num_images") == 4 and given.get("aspect_ratio") == "2:3"
    return given | {"num_images": 2} if is_it else given


_KNOWN = {"mode", "prompt", "aspect_ratio", "num_images", "image_urls"}

MUTANTS = (
    Mutant(
        name="addresses-are-signed-anew-after-an-hour", clause="STA-5", make=_later(_signed_anew)
    ),
    Mutant(
        name="an-old-success-has-failed",
        clause="STA-5",
        make=_later(lambda data: data | {"state": "failed"}),
    ),
    Mutant(name="ended-tasks-are-for-all", clause="AUTH-4", make=_ended_tasks_for_all),
    Mutant(
        name="no-official-callbacks",
        clause="SUB-1",
        make=_refusing(
            "provider",
            lambda body: "callback_url" in body and body.get("provider") == "official",
        ),
    ),
    Mutant(
        name="prompts-are-normalised",
        clause="SUB-9",
        make=_prompt(lambda prompt: unicodedata.normalize("NFC", prompt)),
    ),
    Mutant(name="prompts-are-stripped", clause="SUB-9", make=_prompt(lambda p: p.strip() or p)),
    Mutant(
        name="prompts-end-at-nul",
        clause="SUB-9",
        make=_prompt(lambda prompt: prompt.partition("\0")[0] or prompt),
    ),
    Mutant(
        name="joiners-are-removed",
        clause="SUB-9",
        make=_prompt(lambda prompt: prompt.replace("\u200d", "") or prompt),
    ),
    Mutant(
        name="one-emoji-is-refused",
        clause="SUB-9",
        make=_refusing("input.prompt", lambda body: "\U0001f98a" in _text(body)),
    ),
    Mutant(
        name="9999-characters-at-most",
        clause="SUB-9",
        make=_refusing("input.prompt", lambda body: len(_text(body)) > 9_999),
    ),
    Mutant(
        name="prompts-are-counted-in-utf-16",
        clause="SUB-9",
        make=_refusing("input.prompt", lambda body: len(_text(body).encode("utf-16-le")) > 20_000),
    ),
    Mutant(name="paths-without-input", clause="SUB-14", make=answers(_short_paths)),
    Mutant(name="500-for-odd-types", clause="SUB-14", make=answers(_crash_on_odd_types)),
    Mutant(name="true-is-one-image", clause="SUB-14", make=_taking(_true_is_one)),
    Mutant(
        name="unknown-members-of-input-refused",
        clause="SUB-15",
        make=_refusing("input", lambda body: bool(set(body["input"]) - _KNOWN)),
    ),
    Mutant(name="names-in-any-case", clause="SUB-15", make=_taking(_any_case)),
    Mutant(name="four-upright-are-two", clause="STA-7", make=_taking(_four_upright_are_two)),
    Mutant(name="four-are-square", clause="RES-2", make=_taking(_four_are_square)),
)
