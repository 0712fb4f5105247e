"""A rule as a JSON schema; words, bounds and forms are those of the code that reads rules.

A schema says less than the reader: that `match` must fit what `apply` is for, for example.
"""

from collections.abc import Collection
from typing import Any

from mock_server.control.openapi.references import PREFIX
from mock_server.control.resources.next import COUNTED
from mock_server.domain import durations, latency, outcome, wording
from mock_server.domain import rule_parsing as rules
from mock_server.domain.faults.callback import CallbackFault
from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.faults.wire import WireFault

Json = dict[str, Any]

_DURATION: Json = {"$ref": PREFIX + "Duration"}
_OPERATION: Json = {"$ref": PREFIX + "Operation"}
_NEVER_TOGETHER = {
    "outcome": ("refuse", "meaning", "callback"),
    "refuse": ("meaning", "callback"),
    "meaning": ("callback",),
    "wire": ("callback",),
}
_STATE: Json = {"$ref": PREFIX + "TaskState"}


def rule_schemas(fail_codes: Collection[str]) -> Json:
    match = _match()
    of_next = {name: schema for name, schema in match.items() if name not in COUNTED}
    shown: Json = {"id": {}, "applied": {}}  # by showing a rule; taken and ignored
    return {
        "Duration": {
            "description": "Seconds, or a number with a unit: 2.5, 500ms, 2s, 3m, 1h, 15d",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": durations.MAX_MS / 1000},
                {"type": "string", "pattern": rf"^\s*{durations.WRITTEN.pattern}\s*$"},
            ],
        },
        "FailCode": {"enum": sorted(fail_codes)},
        "Match": _object(match) | {"description": "All of it must hold"},
        "MatchOfNext": _object(of_next) | {"type": ["object", "null"]},
        "Apply": _object(_apply())
        | {"minProperties": 1, "allOf": [_excluding(*each) for each in _NEVER_TOGETHER.items()]},
        "Rule": _object(
            {"match": {"$ref": PREFIX + "Match"}, "apply": {"$ref": PREFIX + "Apply"}, **shown},
            required=("apply",),
        ),
    }


def _match() -> Json:
    often = _whole(1, rules.MANY)
    header = {"type": "string", "minLength": 1, "maxLength": rules.MAX_HEADER_LENGTH}
    forms = f"{rules.RANGE.pattern}|{rules.EVERY.pattern}|\\d{{1,9}}"
    return {
        "operation": {"anyOf": [_OPERATION, {"type": "array", "items": _OPERATION, "minItems": 1}]},
        "prompt": _text(rules.MAX_PROMPT_LENGTH),
        "prompt_regex": _text(rules.MAX_REGEX_LENGTH) | {"description": "Python's"},
        "header": {"type": "object", "minProperties": 1, "additionalProperties": header},
        "nth": {
            "anyOf": [often, {"type": "string", "pattern": rf"^\s*({forms})\s*$"}],
            "examples": [1, "2..4", "every 3"],
        },
        "times": often,
        "times_each": often,
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "state": _STATE,
        "attempt": _whole(1, rules.MAX_ATTEMPT),
    }


def _apply() -> Json:
    return {
        "outcome": _outcome(),
        "refuse": _refuse(),
        "latency": _latency(),
        "wire": {"enum": list(WireFault)},
        "meaning": {"enum": list(MeaningFault)},
        "callback": _callback(),
    }


def _outcome() -> Json:
    polls = _whole(1, outcome.MAX_POLLS)
    schema = _object(
        {
            "fail": {"$ref": PREFIX + "FailCode"},
            "message": {"type": "string", "maxLength": outcome.MAX_MESSAGE_LENGTH},
            "pending": _DURATION,
            "processing": _DURATION,
            "polls": {"anyOf": [polls, {"type": "string", "pattern": r"^\d{1,9}$"}]},
            "hold": {"type": "boolean"},
        }
    )
    return schema | {
        "minProperties": 1,
        "if": {"required": ["message"], "properties": {"message": {"type": "string"}}},
        "then": {"required": ["fail"], "properties": {"fail": {"type": "string"}}},
    }


def _refuse() -> Json:
    return _object(
        {
            "status": _whole(*rules.STATUSES),
            "message": _text(wording.MAX_LENGTH),
            "retry_after": {
                "anyOf": [
                    _whole(0, rules.MAX_RETRY_AFTER_S),
                    {"type": "string", "pattern": r"^(date:)?\d{1,6}$"},
                ],
                "examples": [7, "date:7", None],
            },
        },
        required=("status",),
    )


def _latency() -> Json:
    least, most = latency.SIGMAS
    sigma = {"type": "number", "minimum": least, "maximum": most}
    members = {"median": _DURATION, "sigma": sigma, "max": _DURATION}
    pair = {"type": "array", "items": _DURATION, "minItems": 2, "maxItems": 2}
    return {
        "description": f"Real time, at most {latency.LONGEST_MS // 1000} s",
        "anyOf": [
            _DURATION,
            *_exactly_one({"uniform": pair, "lognormal": _object(members, required=members)}),
        ],
    }


def _callback() -> Json:
    bare = [each for each in CallbackFault if not each.traits.value]
    values = {"duplicate": _whole(1, rules.MAX_DUPLICATES), "delay": _DURATION}
    return {"anyOf": [{"enum": bare}, *_exactly_one(values)]}


def _excluding(name: str, others: Collection[str]) -> Json:
    return {
        "if": {"required": [name], "properties": {name: {"not": {"type": "null"}}}},
        "then": {"properties": {other: {"type": "null"} for other in others}},
    }


def _exactly_one(members: Json) -> list[Json]:
    """Return the objects that have one of these members; null counts as absent."""
    absent = {name: {"type": "null"} for name in members}
    return [_object(absent | {name: schema}, required=(name,)) for name, schema in members.items()]


def _object(members: Json, required: Collection[str] = ()) -> Json:
    """Return an object that takes no other members; null counts as absent."""
    properties = {
        name: schema if name in required else {"anyOf": [schema, {"type": "null"}]}
        for name, schema in members.items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _whole(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


def _text(longest: int) -> Json:
    return {"type": "string", "minLength": 1, "maxLength": longest}
