"""Mutants of FAIL."""

from collections.abc import Callable
from dataclasses import replace
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
    status_data,
)
from tests.contract_tests.mutants.steering import BALANCE, refusal, steer

Data = dict[str, Any]


def _code(old: str, new: str) -> Any:
    def changed(data: Data) -> Data:
        return data | {"failCode": new} if data.get("failCode") == old else data

    return status_data(changed)


def _refuses(word: bytes, name: str) -> Any:
    """Refuse at the submit what should fail later."""

    async def broken(asked: Asked, serve: Serve) -> Told:
        if asked.is_submit and word in asked.body:
            return refusal(400, "Bad request", name)
        return await serve(asked)

    return lambda: broken


def _blind(asked: Asked) -> Asked:
    return replace(asked, body=asked.body.replace(b"gore", b"more")) if asked.is_submit else asked


def _images_unread(asked: Asked) -> Asked:
    if not asked.is_submit or b"image_urls" not in asked.body:
        return asked
    body = asked.json
    body["input"].pop("image_urls", None)
    return replace(asked, body=msgspec.json.encode(body))


def _first_image_only(asked: Asked) -> Asked:
    if not asked.is_submit or b"image_urls" not in asked.body:
        return asked
    body = asked.json
    body["input"]["image_urls"] = body["input"]["image_urls"][:1]
    return replace(asked, body=msgspec.json.encode(body))


def _gif_by_name(asked: Asked) -> Asked:
    body = asked.body.replace(b"/fox.gif", b"/fox.png")
    return replace(asked, body=body) if asked.is_submit else asked


def _unexplained(data: Data) -> Data:
    is_common = data.get("failCode") in {"CONTENT_VIOLATION", "INVALID_IMAGE_URL"}
    return data if is_common or "failMsg" not in data else data | {"failMsg": ""}


def _unknown_codes(data: Data) -> Data:
    known = {"CONTENT_VIOLATION", "INVALID_IMAGE_URL"}
    is_other = "failCode" in data and data["failCode"] not in known
    return data | {"failCode": "GENERATION_FAILED"} if is_other else data


def _billed_at_once(word: bytes) -> Callable[[], Break]:
    """Bill submits that hold a word, whatever becomes of them."""

    def make() -> Break:
        spent: dict[bytes, float] = {}

        async def broken(asked: Asked, serve: Serve) -> Told:
            told = await serve(asked)
            key = asked.header(b"authorization")
            if asked.is_submit and told.status == 200 and word in asked.body:
                count = asked.json["input"].get("num_images", 1)
                spent[key] = spent.get(key, 0.0) + 0.035 * count
            if asked.path == BALANCE and told.status == 200:
                return told.with_json(told.json | {"data": 100_000 - spent.get(key, 0.0)})
            return told

        return broken

    return make


def _one_side(side: str) -> Any:
    async def broken(asked: Asked, serve: Serve) -> Told:
        if asked.is_submit:
            await steer(asked, serve, "PATCH", "sandbox", {"image_fail_codes": side})
        return await serve(asked)

    return lambda: broken


def _at_once_without_code(asked: Asked, told: Told) -> Told:
    if not asked.is_submit or b"failCode" not in told.body:
        return told
    return told.with_json(told.json | {"data": None})


def _at_once_as_success(asked: Asked, told: Told) -> Told:
    is_failed = asked.is_submit and b"failCode" in told.body
    return told.with_status(200) if is_failed else told


async def _creates_a_task_as_well(asked: Asked, serve: Serve) -> Told:
    told = await serve(asked)
    if asked.is_submit and b"failCode" in told.body:
        await serve(asked)
    return told


MUTANTS = (
    Mutant(name="no-moderation", clause="FAIL-1", make=requests(_blind)),
    Mutant(name="violations-refused-at-once", clause="FAIL-1", make=_refuses(b"gore", "prompt")),
    Mutant(name="violation-by-another-name", clause="FAIL-1",
           make=_code("CONTENT_VIOLATION", "NSFW_DETECTED")),
    Mutant(name="images-never-read", clause="FAIL-2", make=requests(_images_unread)),
    Mutant(name="only-the-first-image-read", clause="FAIL-2", make=requests(_first_image_only)),
    Mutant(name="bad-images-refused-at-once", clause="FAIL-2",
           make=_refuses(b".invalid", "image_urls")),
    Mutant(name="image-code-by-another-name", clause="FAIL-2",
           make=_code("INVALID_IMAGE_URL", "IMAGE_DOWNLOAD_FAILED")),
    Mutant(name="two-codes-only", clause="FAIL-3", make=status_data(_unknown_codes)),
    Mutant(name="further-codes-without-a-message", clause="FAIL-3",
           make=status_data(_unexplained)),
    Mutant(name="one-code-for-bad-images", clause="FAIL-4", make=_one_side("seed")),
    Mutant(name="two-codes-for-bad-images", clause="FAIL-4", make=_one_side("docs")),
    Mutant(name="gif-addresses-not-seen", clause="FAIL-4", make=requests(_gif_by_name)),
    Mutant(name="immediate-failure-without-a-code", clause="FAIL-6",
           make=answers(_at_once_without_code)),
    Mutant(name="immediate-failure-with-200", clause="FAIL-6", make=answers(_at_once_as_success)),
    Mutant(name="immediate-failure-creates-a-task", clause="FAIL-6",
           make=lambda: _creates_a_task_as_well),
    Mutant(name="failures-are-billed", clause="FAIL-5", make=_billed_at_once(b"")),
    Mutant(name="violations-are-billed", clause="FAIL-5", make=_billed_at_once(b"gore")),
)  # fmt: skip
