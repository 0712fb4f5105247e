"""Mutants of ENV."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.contract_tests.mutants.harness import Asked, Mutant, Told, answers
from tests.contract_tests.mutants.steering import BALANCE

Envelope = dict[str, Any]


def _of_success(change: Callable[[Envelope], Any]) -> Callable[[Asked, Told], Told]:
    def changed(asked: Asked, told: Told) -> Told:
        if told.status != 200 or asked.is_result:
            return told
        return told.with_json(change(told.json))

    return changed


def _of_errors(change: Callable[[Envelope], Any]) -> Callable[[Asked, Told], Told]:
    def changed(asked: Asked, told: Told) -> Told:
        if told.status < 400 or asked.is_result:
            return told
        return told.with_json(change(told.json))

    return changed


def _balance_bare(asked: Asked, told: Told) -> Told:
    return told.with_json(told.json["data"]) if asked.path == BALANCE else told


def _typed(kind: bytes, *, errors: bool) -> Callable[[Asked, Told], Told]:
    def changed(asked: Asked, told: Told) -> Told:
        if asked.is_result or (told.status >= 400) != errors:
            return told
        others = tuple(each for each in told.headers if each[0] != b"content-type")
        return replace(told, headers=(*others, (b"content-type", kind)) if kind else others)

    return changed


def _without(name: str) -> Callable[[Envelope], Envelope]:
    return lambda envelope: {key: value for key, value in envelope.items() if key != name}


def _detail_gone(envelope: Envelope) -> Envelope:
    return envelope | {"data": None, "message": "Bad request"}


def _bare_429(asked: Asked, told: Told) -> Told:
    return replace(told, body=b"Too many requests") if told.status == 429 else told


def _code_400_for_429(asked: Asked, told: Told) -> Told:
    return told.with_json(told.json | {"code": 400}) if told.status == 429 else told


def _numbers_as_texts(asked: Asked, told: Told) -> Told:
    if told.status != 401:
        return told
    return told.with_json(told.json | {"code": "401"})


def _crashes_on_twice(asked: Asked, told: Told) -> Told:
    if asked.body.count(b'"prompt"') < 2:
        return told
    return replace(told, status=500, body=b"Internal Server Error")


MUTANTS = (
    Mutant(
        name="code-0-at-success",
        clause="ENV-1",
        make=answers(_of_success(lambda e: e | {"code": 0})),
    ),
    Mutant(
        name="code-is-a-text",
        clause="ENV-1",
        make=answers(_of_success(lambda e: e | {"code": "200"})),
    ),
    Mutant(
        name="message-ok",
        clause="ENV-1",
        make=answers(_of_success(lambda e: e | {"message": "ok"})),
    ),
    Mutant(name="no-message", clause="ENV-1", make=answers(_of_success(_without("message")))),
    Mutant(name="no-envelope", clause="ENV-1", make=answers(_of_success(lambda e: e["data"]))),
    Mutant(name="bare-balance", clause="ENV-1", make=answers(_balance_bare)),
    Mutant(name="errors-without-code", clause="ENV-1", make=answers(_of_errors(_without("code")))),
    Mutant(name="bare-429", clause="ENV-1", make=answers(_bare_429)),
    Mutant(name="401-as-a-text", clause="ENV-1", make=answers(_numbers_as_texts)),
    Mutant(name="crashes-on-duplicates", clause="ENV-1", make=answers(_crashes_on_twice)),
    Mutant(name="code-400-for-429", clause="ENV-2", make=answers(_code_400_for_429)),
    Mutant(
        name="errors-have-their-own-code",
        clause="ENV-2",
        make=answers(_of_errors(lambda e: e | {"code": 10_000 + e["code"]})),
    ),
    Mutant(
        name="detail-is-a-text",
        clause="ENV-2",
        make=answers(_of_errors(lambda e: e | {"data": "Missing required field: input.prompt"})),
    ),
    Mutant(name="errors-without-detail", clause="ENV-2", make=answers(_of_errors(_detail_gone))),
    Mutant(name="json-as-text", clause="ENV-3", make=answers(_typed(b"text/plain", errors=False))),
    Mutant(name="errors-as-html", clause="ENV-3", make=answers(_typed(b"text/html", errors=True))),
    Mutant(name="no-content-type", clause="ENV-3", make=answers(_typed(b"", errors=False))),
)
