"""Alterations of envelopes, headers, statuses and submits."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.contract_tests.mutants.engine.alterations import (
    Alteration,
    Answer,
    telling,
    with_header,
)
from tests.contract_tests.mutants.engine.occasions import Occasion, submitted
from tests.contract_tests.mutants.harness import Asked, Serve, Told
from tests.contract_tests.mutants.steering import refusal

_SHOWN = frozenset({"always", "task", "key"})
_AT_STATUS = frozenset({"begin", "success", "failed"})
_EACH = _SHOWN | {"end", "polls", "age"}


def _at(channel: str, change: Callable[[Told, Occasion], Told]) -> Answer:
    """Change the good JSON answers of one endpoint."""
    return telling(
        lambda told, occasion: (
            change(told, occasion) if occasion.channel == channel and told.status == 200 else told
        )
    )


def _envelope(
    operator: str,
    place: str,
    change: Callable[[dict[str, Any]], Any],
    clause: str = "ENV-1",
    *also: str,
) -> tuple[Alteration, ...]:
    """Change the envelope of good submits, status answers and balances."""
    return tuple(
        Alteration(
            operator=operator,
            place=f"{place}-of-{channel}",
            clause=clause,
            when=_AT_STATUS if channel == "status" else frozenset({channel}),
            also=frozenset(also) | {_MAIN[channel]},
            about=_EACH if channel == "status" else _SHOWN,
            answer=_at(channel, lambda told, _: told.with_json(change(told.json))),
        )
        for channel in _MAIN
    )


_MAIN = {"submit": "SUB-1", "status": "STA-3", "balance": "BIL-2"}


def _without(envelope: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: envelope[each] for each in envelope if each != name}


def _whole(
    operator: str,
    place: str,
    change: Callable[[Told], Told],
    clause: str,
    *also: str,
) -> tuple[Alteration, ...]:
    """Change the status or a header of good submits, status answers and balances."""
    return tuple(
        Alteration(
            operator=operator,
            place=f"{place}-of-{channel}",
            clause=clause or _MAIN[channel],
            when=_AT_STATUS if channel == "status" else frozenset({channel}),
            also=frozenset(also) | {"ENV-1"},
            about=_EACH if channel == "status" else _SHOWN,
            answer=_at(channel, lambda told, _: change(told)),
        )
        for channel in _MAIN
    )


def _errors(
    operator: str,
    place: str,
    change: Callable[[Told], Told],
    clause: str,
    *also: str,
    statuses: tuple[int, ...] = (400, 401, 404, 429),
) -> tuple[Alteration, ...]:
    """Change each kind of error, on every endpoint."""

    def at(status: int) -> Answer:
        return telling(
            lambda told, occasion: (
                change(told) if told.status == status and occasion.channel != "result" else told
            )
        )

    return tuple(
        Alteration(
            operator=operator,
            place=f"{place}-of-{status}",
            clause=clause,
            when=frozenset({"limit" if status == 429 else "error"}),
            also=frozenset(also) | {"ENV-1", "ENV-2"},
            about=_SHOWN if status in {400, 429} else frozenset({"always"}),
            answer=at(status),
        )
        for status in statuses
    )


def _refused(clause: str, status: int, *also: str) -> Alteration:
    """Reject good submits, as if they were wrong."""

    async def refuse(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
        if occasion.channel != "submit" or told.status != 200:
            return told
        return refusal(status, "Invalid request", "input: is not supported")

    return Alteration(
        operator="wrong-status", place=f"{status}-for-good-submits", clause=clause,
        when=frozenset({"submit"}), also=frozenset(also), about=_SHOWN, answer=refuse,
    )  # fmt: skip


def _accepts(member: str, clause: str, *also: str) -> Alteration:
    """Take a submit with an invalid member as if the member were absent."""

    async def accept(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
        body = submitted(asked)
        given = body.get("input")
        if occasion.channel != "submit" or told.status != 400 or member.encode() not in told.body:
            return told
        if isinstance(given, dict) and member in given:
            body = body | {"input": {name: given[name] for name in given if name != member}}
        elif member in body:
            body = _without(body, member)
        else:
            return told
        return await serve(replace(asked, body=_encoded(body)))

    return Alteration(
        operator="wrong-status", place=f"200-for-bad-{member.replace('_', '-')}", clause=clause,
        when=frozenset({"invalid"}), also=frozenset({"SUB-14", *also}), about=_SHOWN,
        answer=accept,
    )  # fmt: skip


def _encoded(value: object) -> bytes:
    return Told(status=0, headers=(), body=b"").with_json(value).body


def _takes(
    operator: str,
    place: str,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    clause: str,
    *also: str,
    when: str = "submit",
) -> Alteration:
    """Take the `input` of a submit for another one."""

    def changed(asked: Asked, _: Occasion) -> Asked:
        body = submitted(asked)
        given = body.get("input")
        if not isinstance(given, dict):
            return asked
        taken = change(given)
        return asked if taken == given else replace(
            asked, body=_encoded(body | {"input": taken})
        )  # fmt: skip

    return Alteration(
        operator=operator, place=place, clause=clause, when=frozenset({when}),
        also=frozenset(also), about=frozenset({"always", "task"}), request=changed,
    )  # fmt: skip


def _first_id(told: Told, occasion: Occasion) -> Told:
    """Tell the id of the first task of the key again."""
    first = occasion.seen_key.tasks[0].id
    return told.with_json(told.json | {"data": told.json["data"] | {"taskId": first}})


def _task_id(operator: str, change: Callable[[str], object]) -> Alteration:
    def changed(told: Told, _: Occasion) -> Told:
        data = told.json["data"]
        return told.with_json(told.json | {"data": data | {"taskId": change(data["taskId"])}})

    return Alteration(
        operator=operator, place="task-id-of-submits", clause="SUB-1",
        when=frozenset({"submit"}), also=frozenset({"STA-2", "STA-3", "ENV-1"}), about=_SHOWN,
        answer=_at("submit", changed),
    )  # fmt: skip


def _mixed(given: dict[str, Any]) -> dict[str, Any]:
    """Take three images for one, and no other invalid number for a valid one."""
    return given | {"num_images": 1} if given.get("num_images") == 3 else given


def _ratio(given: dict[str, Any], taken: str) -> dict[str, Any]:
    is_other = given.get("aspect_ratio", "1:1") in {"1:1", "3:2", "2:3"}
    return given | {"aspect_ratio": taken} if is_other else given


def _count(given: dict[str, Any], taken: int) -> dict[str, Any]:
    is_valid = given.get("num_images", 1) in {1, 2, 4} and given.get("num_images") is not True
    return given | {"num_images": taken} if is_valid else given


def _prompt_only(given: dict[str, Any]) -> dict[str, Any]:
    """Drop reference images that a task may have."""
    urls = given.get("image_urls")
    is_valid = isinstance(urls, list) and 0 < len(urls) <= 5
    is_valid = is_valid and all(isinstance(url, str) for url in urls or ())
    return {name: given[name] for name in given if name != "image_urls"} if is_valid else given


def _harmless(given: dict[str, Any]) -> dict[str, Any]:
    prompt = given.get("prompt")
    is_valid = isinstance(prompt, str) and 0 < len(prompt) <= 10_000
    return given | {"prompt": "a fox"} if is_valid else given


ANSWERS = (
    *_envelope("drop", "code", lambda whole: _without(whole, "code")),
    *_envelope("retype", "code", lambda whole: whole | {"code": str(whole["code"])}),
    *_envelope("shift", "code", lambda whole: whole | {"code": 201}),
    *_envelope("recase", "message", lambda whole: whole | {"message": "Success"}),
    *_envelope("drop", "message", lambda whole: _without(whole, "message")),
    *_envelope("bare", "envelope", lambda whole: whole["data"], "ENV-1"),
    *_whole("wrong-header", "text", lambda told: with_header(told, b"content-type", b"text/plain"),
            "ENV-3"),
    *_whole("wrong-header", "no-type", lambda told: with_header(told, b"content-type", None),
            "ENV-3"),
    *_whole("wrong-status", "201", lambda told: replace(told, status=201), "", "ENV-2"),
    *_errors("shift", "code", lambda told: told.with_json(told.json | {"code": 1001}), "ENV-2"),
    *_errors("retype", "code", lambda told: told.with_json(
        told.json | {"code": str(told.status)}), "ENV-1"),
    *_errors("drop", "message", lambda told: told.with_json(
        _without(told.json, "message")), "ENV-1"),
    *_errors("retype", "data", lambda told: told.with_json(
        told.json | {"data": "an error"}), "ENV-2"),
    *_errors("wrong-header", "html", lambda told: replace(
        with_header(told, b"content-type", b"text/html"), body=b"<h1>Error</h1>"), "ENV-3"),
    *_errors("wrong-header", "text", lambda told: with_header(
        told, b"content-type", b"text/plain"), "ENV-3"),
    *_errors("wrong-status", "500", lambda told: told.with_status(500), "SUB-14",
             "SUB-3", "SUB-6", "SUB-9", "SUB-10", "SUB-11", "SUB-12", "SUB-2", "SUB-4", "SUB-7",
             statuses=(400,)),
    *_errors("wrong-status", "422", lambda told: told.with_status(422), "SUB-14",
             "SUB-3", "SUB-6", "SUB-9", "SUB-10", "SUB-11", "SUB-12", "SUB-2", "SUB-4", "SUB-7",
             statuses=(400,)),
    *_errors("wrong-status", "400", lambda told: told.with_status(400), "STA-2",
             "SUB-18", "STA-11", "AUTH-4", statuses=(404,)),
    *_errors("wrong-status", "503", lambda told: told.with_status(503), "LIM-1", "LIM-2", "LIM-5",
             statuses=(429,)),
    *_errors("drop", "detail", lambda told: told.with_json(
        told.json | {"message": "Bad request", "data": None}), "SUB-14", statuses=(400,)),
    _task_id("retype", lambda value: {"id": value}),
    _task_id("empty", lambda _: ""),
    _task_id("recase", lambda value: value.upper()),
    Alteration(operator="duplicate", place="task-id-of-submits", clause="SUB-1",
               when=frozenset({"submit"}), also=frozenset({"STA-3"}), about=_SHOWN,
               answer=_at("submit", _first_id)),
    _refused("SUB-1", 400, "SUB-3", "SUB-6", "SUB-8", "SUB-9", "SUB-10", "SUB-11", "SUB-12",
             "SUB-13", "SUB-7", "AUTH-4", "LIM-2", "LIM-4"),
    _refused("SUB-1", 500, "SUB-3", "SUB-6", "SUB-8", "SUB-9", "SUB-10", "SUB-11", "SUB-12",
             "SUB-13", "SUB-7", "AUTH-4", "LIM-2", "LIM-4"),
    _accepts("num_images", "SUB-11"),
    _accepts("aspect_ratio", "SUB-10"),
    _accepts("image_urls", "SUB-12", "SUB-13"),
    _accepts("provider", "SUB-6"),
    _accepts("mode", "SUB-8", "SUB-7"),
    _takes("round", "num-images", _mixed, "SUB-11", "SUB-14", when="invalid"),
    _takes("swap", "count-by-1", lambda given: _count(given, 1), "STA-7", "BIL-1", when="many"),
    _takes("swap", "count-by-2", lambda given: _count(given, 2), "STA-7", "BIL-1"),
    _takes("swap", "ratio-by-1-1", lambda given: _ratio(given, "1:1"), "RES-2", when="oblong"),
    _takes("swap", "ratio-by-3-2", lambda given: _ratio(given, "3:2"), "RES-2"),
    _takes("drop", "references", _prompt_only, "FAIL-2", "SUB-13", "SUB-12", "FAIL-4",
           when="bad-image"),
    _takes("drop", "prompt", _harmless, "FAIL-1", when="moderated"),
)  # fmt: skip
