"""Mutants of SUB: the body of a submit as a whole, other models, credit."""

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


def of_body(change: Change) -> Callable[[], Break]:
    """Let the mock see another body: what it would refuse is taken, or the other way."""

    def changed(asked: Asked) -> Asked:
        if not asked.is_submit or not asked.body.startswith(b"{"):
            return asked
        try:
            body = asked.json
        except (msgspec.DecodeError, UnicodeDecodeError):
            return asked
        change(body)
        return replace(asked, body=msgspec.json.encode(body))

    return requests(changed)


def of_input(change: Change) -> Callable[[], Break]:
    def changed(body: Body) -> None:
        if isinstance(body.get("input"), dict):
            change(body["input"])

    return of_body(changed)


def takes(name: str, value: object, instead: object) -> Callable[[], Break]:
    """Take a value of `input` that must be refused."""

    def changed(given: Body) -> None:
        if name in given and given[name] == value and type(given[name]) is type(value):
            given[name] = instead

    return of_input(changed)


def refuses(name: str, value: object) -> Callable[[], Break]:
    """Refuse a value of `input` that must be taken."""
    return takes(name, value, ["no"])


def outer(name: str, value: object, instead: object) -> Callable[[], Break]:
    def changed(body: Body) -> None:
        if body.get(name) == value:
            body[name] = instead

    return of_body(changed)


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


def _callback_refused(body: Body) -> None:
    if body.get("request_type") == "callback" and body.get("callback_url"):
        body["request_type"] = "webhook"


def _no_content_type_needed(asked: Asked) -> Asked:
    return asked if asked.header(b"content-type") else _any_content_type(asked)


def _provider_needed(body: Body) -> None:
    body.setdefault("provider", "none")


def _names_the_field_only(asked: Asked, told: Told) -> Told:
    is_refusal = asked.is_submit and told.status == 400
    return replace(told, body=told.body.replace(b"input.", b"")) if is_refusal else told


def _unknown_input_refused() -> Break:
    known = {"mode", "prompt", "aspect_ratio", "num_images", "image_urls", "nVariants", "isEnhance"}

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if asked.is_submit and told.status == 200 and set(asked.json["input"]) - known:
            return refusal(400, "Bad request", "input: an unknown member")
        return told

    return broken


def _model_is_bad_request(asked: Asked, told: Told) -> Told:
    return told.with_status(400) if asked.is_submit and told.status == 404 else told


def _says_no_more(asked: Asked, told: Told) -> Told:
    is_broke = asked.is_submit and b"nsufficient" in told.body
    return told.with_json(told.json | {"message": "Error", "data": None}) if is_broke else told


def always(change: Callable[[Asked, Serve], Awaitable[Told]]) -> Callable[[], Break]:
    return lambda: change


async def never_strict(asked: Asked, serve: Serve) -> Told:
    if asked.is_submit and asked.header(b"authorization").startswith(b"Bearer "):
        await steer(asked, serve, "PATCH", "sandbox", {"strict": False})
    return await serve(asked)


async def always_strict(asked: Asked, serve: Serve) -> Told:
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
    Mutant(name="content-type-optional", clause="SUB-2", make=requests(_no_content_type_needed)),
    Mutant(name="no-callbacks", clause="SUB-3", make=of_body(_callback_refused)),
    Mutant(name="request-type-is-async", clause="SUB-3", make=outer("request_type", "", "async")),
    Mutant(name="any-request-type", clause="SUB-3", make=outer("request_type", "webhook", "async")),
    Mutant(name="async-refused", clause="SUB-3", make=outer("request_type", "async", "sync")),
    Mutant(
        name="callback-without-address", clause="SUB-4", make=of_body(_callback_without_address)
    ),
    Mutant(name="callbacks-anywhere", clause="SUB-5", make=always(never_strict)),
    Mutant(name="https-callbacks-only", clause="SUB-5", make=always(always_strict)),
    Mutant(name="any-provider", clause="SUB-6", make=outer("provider", "cheapest", "auto")),
    Mutant(name="no-official-route", clause="SUB-6", make=outer("provider", "official", "none")),
    Mutant(name="provider-needed", clause="SUB-6", make=of_body(_provider_needed)),
    Mutant(name="input-optional", clause="SUB-7", make=of_body(_input_optional)),
    Mutant(name="errors-name-nothing", clause="SUB-14", make=answers(_names_nothing)),
    Mutant(name="names-without-a-path", clause="SUB-14", make=answers(_names_the_field_only)),
    Mutant(name="422-for-400", clause="SUB-14", make=answers(_422)),
    Mutant(name="any-body-goes", clause="SUB-14", make=requests(_anything_goes)),
    Mutant(name="unknown-members-refused", clause="SUB-15", make=_unknown_member_refused),
    Mutant(name="unknown-input-refused", clause="SUB-15", make=_unknown_input_refused),
    Mutant(name="endless-credit", clause="SUB-17", make=always(_credit_is_endless)),
    Mutant(name="402-always", clause="SUB-17", make=answers(_always_402)),
    Mutant(name="no-credit-unsaid", clause="SUB-17", make=answers(_says_no_more)),
    Mutant(name="400-for-a-model", clause="SUB-18", make=answers(_model_is_bad_request)),
    Mutant(name="any-model", clause="SUB-18", make=requests(_any_model)),
)
