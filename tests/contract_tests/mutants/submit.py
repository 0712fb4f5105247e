"""Mutants of SUB: what is taken and refused wrongly."""

from collections.abc import Awaitable, Callable
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
)
from tests.contract_tests.mutants.steering import refusal, steer

Body = dict[str, Any]
Change = Callable[[Body], object]
_FIRST = b'{"code":200,"message":"success","data":{"taskId":"task_1"}}'


def _body(change: Change) -> Callable[[], Break]:
    """Let the mock see another body: what it would refuse is taken, or the other way."""

    def changed(asked: Asked) -> Asked:
        if not asked.is_submit or not asked.body.startswith(b"{"):
            return asked
        try:
            body = asked.json
        except msgspec.DecodeError:
            return asked
        change(body)
        return replace(asked, body=msgspec.json.encode(body))

    return requests(changed)


def _input(change: Change) -> Callable[[], Break]:
    def changed(body: Body) -> None:
        if isinstance(body.get("input"), dict):
            change(body["input"])

    return _body(changed)


def _taken(name: str, value: object, instead: object) -> Callable[[], Break]:
    """Take a value of `input` that must be refused."""

    def changed(given: Body) -> None:
        if name in given and given[name] == value and type(given[name]) is type(value):
            given[name] = instead

    return _input(changed)


def _refused(name: str, value: object) -> Callable[[], Break]:
    """Refuse a value of `input` that must be taken."""
    return _taken(name, value, ["no"])


def _outer(name: str, value: object, instead: object) -> Callable[[], Break]:
    def changed(body: Body) -> None:
        if body.get(name) == value:
            body[name] = instead

    return _body(changed)


def _same_id() -> Break:
    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        is_taken = asked.is_submit and told.status == 200
        return replace(told, body=_FIRST) if is_taken else told

    return broken


def _created(asked: Asked, told: Told) -> Told:
    return replace(told, status=201) if asked.is_submit and told.status == 200 else told


def _id_is_a_number(asked: Asked, told: Told) -> Told:
    if not asked.is_submit or told.status != 200:
        return told
    return told.with_json(told.json | {"data": {"taskId": 7}})


def _any_content_type(asked: Asked) -> Asked:
    others = tuple(each for each in asked.headers if each[0] != b"content-type")
    return replace(asked, headers=(*others, (b"content-type", b"application/json")))


def _no_parameters(asked: Asked) -> Asked:
    is_odd = b"charset" in asked.header(b"content-type")
    return replace(asked, headers=()) if is_odd else asked


def _callback_without_address(body: Body) -> None:
    if body.get("request_type") == "callback" and not body.get("callback_url"):
        body["request_type"] = "async"


def _general(change: Callable[[Asked, Serve], Awaitable[Told]]) -> Callable[[], Break]:
    return lambda: change


async def _never_strict(asked: Asked, serve: Serve) -> Told:
    if asked.is_submit and asked.header(b"authorization").startswith(b"Bearer "):
        await steer(asked, serve, "PATCH", "sandbox", {"strict": False})
    return await serve(asked)


async def _always_strict(asked: Asked, serve: Serve) -> Told:
    if asked.is_submit and asked.header(b"authorization").startswith(b"Bearer "):
        await steer(asked, serve, "PATCH", "sandbox", {"strict": True})
    return await serve(asked)


async def _credit_is_endless(asked: Asked, serve: Serve) -> Told:
    if asked.is_submit and asked.header(b"authorization").startswith(b"Bearer "):
        await steer(asked, serve, "PATCH", "sandbox", {"balance": 1000})
    return await serve(asked)


def _always_402(asked: Asked, told: Told) -> Told:
    is_broke = asked.is_submit and b"nsufficient" in told.body
    return told.with_status(402) if is_broke else told


def _names_nothing(asked: Asked, told: Told) -> Told:
    if not asked.is_submit or told.status != 400:
        return told
    return told.with_json({"code": 400, "message": "Bad request", "data": {"error": "Bad"}})


def _422(asked: Asked, told: Told) -> Told:
    return told.with_status(422) if asked.is_submit and told.status == 400 else told


def _unknown_member_refused() -> Break:
    known = {"request_type", "callback_url", "provider", "input"}

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if asked.is_submit and told.status == 200 and set(asked.json) - known:
            return refusal(400, "Bad request", "body: an unknown member")
        return told

    return broken


def _old_names(given: Body) -> None:
    if "nVariants" in given:
        given["num_images"] = given["nVariants"]


def _cut(given: Body) -> None:
    if isinstance(given.get("prompt"), str):
        given["prompt"] = given["prompt"][:10_000]


def _bytes(given: Body) -> None:
    if isinstance(given.get("prompt"), str) and len(given["prompt"].encode()) > 10_000:
        given["prompt"] = ""


def _five_thousand(given: Body) -> None:
    if isinstance(given.get("prompt"), str) and len(given["prompt"]) > 5_000:
        given["prompt"] = ""


def _prompt_optional(given: Body) -> None:
    given.setdefault("prompt", "a default")


def _six_images(given: Body) -> None:
    if isinstance(given.get("image_urls"), list):
        given["image_urls"] = given["image_urls"][:5]


def _images_unread(given: Body) -> None:
    if isinstance(given.get("image_urls"), list):
        given["image_urls"] = []


def _text_counts(given: Body) -> None:
    if isinstance(given.get("num_images"), str):
        given["num_images"] = int(given["num_images"])


def _input_optional(body: Body) -> None:
    body.setdefault("input", {"mode": "gpt-image-1", "prompt": "a default"})


def _any_model(asked: Asked) -> Asked:
    if not asked.is_submit:
        return asked
    return replace(asked, path="/api/v1/generateTask/gpt-image-1")


def _anything_goes(asked: Asked) -> Asked:
    if not asked.is_submit or asked.body.startswith(b'{"'):
        return asked
    body = b'{"input":{"mode":"gpt-image-1","prompt":"x"}}'
    return replace(asked, body=body)


MUTANTS = (
    Mutant(name="the-same-task-id-always", clause="SUB-1", make=_same_id),
    Mutant(name="201-for-a-submit", clause="SUB-1", make=answers(_created)),
    Mutant(name="task-id-is-a-number", clause="SUB-1", make=answers(_id_is_a_number)),
    Mutant(name="any-content-type", clause="SUB-2", make=requests(_any_content_type)),
    Mutant(name="no-charset", clause="SUB-2", make=requests(_no_parameters)),
    Mutant(
        name="any-request-type", clause="SUB-3", make=_outer("request_type", "webhook", "async")
    ),
    Mutant(name="async-refused", clause="SUB-3", make=_outer("request_type", "async", "sync")),
    Mutant(name="callback-without-address", clause="SUB-4", make=_body(_callback_without_address)),
    Mutant(name="callbacks-anywhere", clause="SUB-5", make=_general(_never_strict)),
    Mutant(name="https-callbacks-only", clause="SUB-5", make=_general(_always_strict)),
    Mutant(name="any-provider", clause="SUB-6", make=_outer("provider", "cheapest", "auto")),
    Mutant(name="no-official-route", clause="SUB-6", make=_outer("provider", "official", "none")),
    Mutant(name="input-optional", clause="SUB-7", make=_body(_input_optional)),
    Mutant(name="one-page-of-modes", clause="SUB-8", make=_general(_always_strict)),
    Mutant(name="any-mode", clause="SUB-8", make=_taken("mode", "dall-e-3", "gpt-image-1")),
    Mutant(name="modes-never-strict", clause="SUB-8", make=_general(_never_strict)),
    Mutant(name="long-prompts-cut", clause="SUB-9", make=_input(_cut)),
    Mutant(name="prompt-in-bytes", clause="SUB-9", make=_input(_bytes)),
    Mutant(name="prompts-of-5000", clause="SUB-9", make=_input(_five_thousand)),
    Mutant(name="prompt-optional", clause="SUB-9", make=_input(_prompt_optional)),
    Mutant(name="16-9-taken", clause="SUB-10", make=_taken("aspect_ratio", "16:9", "3:2")),
    Mutant(name="2-3-refused", clause="SUB-10", make=_refused("aspect_ratio", "2:3")),
    Mutant(name="three-images-taken", clause="SUB-11", make=_taken("num_images", 3, 4)),
    Mutant(name="no-image-taken", clause="SUB-11", make=_taken("num_images", 0, 1)),
    Mutant(name="four-images-refused", clause="SUB-11", make=_refused("num_images", 4)),
    Mutant(name="a-text-counts", clause="SUB-11", make=_input(_text_counts)),
    Mutant(name="six-references-taken", clause="SUB-12", make=_input(_six_images)),
    Mutant(name="references-unread", clause="SUB-13", make=_input(_images_unread)),
    Mutant(name="errors-name-nothing", clause="SUB-14", make=answers(_names_nothing)),
    Mutant(name="422-for-400", clause="SUB-14", make=answers(_422)),
    Mutant(name="any-body-goes", clause="SUB-14", make=requests(_anything_goes)),
    Mutant(name="unknown-members-refused", clause="SUB-15", make=_unknown_member_refused),
    Mutant(name="nvariants-counts", clause="SUB-16", make=_input(_old_names)),
    Mutant(name="endless-credit", clause="SUB-17", make=_general(_credit_is_endless)),
    Mutant(name="402-always", clause="SUB-17", make=answers(_always_402)),
    Mutant(name="any-model", clause="SUB-18", make=requests(_any_model)),
)
