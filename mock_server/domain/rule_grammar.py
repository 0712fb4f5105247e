"""The written form of rules: the types that decode a rule and describe it in JSON Schema.

`rule_definitions.py` checks what a type cannot express. The member `json_schema` describes the same
checks in JSON Schema.
"""

from collections.abc import Collection
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from mock_server.domain.durations import Duration
from mock_server.domain.faults.callback import CallbackFault
from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.faults.wire import WireFault
from mock_server.domain.latency import WrittenLatency
from mock_server.domain.operation import Operation
from mock_server.domain.outcome import FailCode, WrittenOutcome
from mock_server.domain.task import TaskState

Json = dict[str, Any]

MAX_RETRY_AFTER_S = 86_400
TURN_RANGE = r"(\d{1,9})\.\.(\d{1,9})"
EVERY_TURN = r"every\s+(\d{1,9})"

Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
HeaderName = Annotated[str, Meta(max_length=200)]
HeaderValue = Annotated[str, Meta(min_length=1, max_length=4000)]
Turn = Annotated[
    Count | Annotated[str, Meta(pattern=rf"^\s*({TURN_RANGE}|{EVERY_TURN}|\d{{1,9}})\s*$")],
    Meta(
        extra={"form": 'a number from 1, "2..4" or "every 3"'},
    ),
]
RetryAfter = Annotated[
    Annotated[int, Meta(ge=0, le=MAX_RETRY_AFTER_S)]
    | Annotated[str, Meta(pattern=r"^(date:)?\d{1,6}$")],
    Meta(
        extra={"form": 'a number of seconds, "date:7" for a date, or null for none'},
    ),
]


class NextMatch(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The conditions of a rule that is queued for the next requests. All must hold."""

    operation: Annotated[
        Operation | Annotated[list[Operation], Meta(min_length=1, max_length=100)] | None,
        Meta(
            description="One operation or several. Default: all that `apply` supports.",
            examples=["status", ["submit", "status"]],
        ),
    ] = None
    prompt: Annotated[
        Annotated[str, Meta(min_length=1, max_length=10_000)] | None,
        Meta(description="The prompt contains this text.", examples=["cat"]),
    ] = None
    prompt_regex: Annotated[
        Annotated[str, Meta(min_length=1, max_length=1000)] | None,
        Meta(
            description="The prompt contains a match of this Python regular expression.",
            examples=["^a (cat|dog)"],
        ),
    ] = None
    header: Annotated[
        Annotated[dict[HeaderName, HeaderValue], Meta(min_length=1, max_length=20)] | None,
        Meta(
            description="The request has these headers, with these values.",
            examples=[{"X-Test": "yes"}],
        ),
    ] = None
    state: Annotated[
        TaskState | None,
        Meta(
            description="The task is in this state. For `status`, `result` and `callback`.",
            examples=["success"],
        ),
    ] = None
    attempt: Annotated[
        Annotated[int, Meta(ge=1, le=100)] | None,
        Meta(description="The number of the attempt to deliver a callback.", examples=[2]),
    ] = None


class Match(NextMatch, forbid_unknown_fields=True, kw_only=True):
    """The conditions of a rule. All must hold."""

    nth: Annotated[
        Turn | None,
        Meta(
            description="The numbers of the matching requests to which the rule applies.",
            examples=[1, "2..4", "every 3"],
        ),
    ] = None
    times: Annotated[
        Count | None, Meta(description="The rule applies at most this many times.", examples=[2])
    ] = None
    times_each: Annotated[
        Count | None,
        Meta(
            description="The rule applies at most this many times per task or prompt.", examples=[1]
        ),
    ] = None
    probability: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(
            description="The share of matching requests that get the rule; drawn from the seed.",
            examples=[0.1],
        ),
    ] = None


class Refuse(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An error response."""

    status: Annotated[int, Meta(ge=400, le=599, description="Its status.", examples=[503])]
    message: Annotated[
        Annotated[str, Meta(min_length=1, max_length=1000)] | None,
        Meta(
            description="Its message. Default: that of the fail code, or the phrase of the status.",
            examples=["Busy"],
        ),
    ] = None
    detail: Annotated[
        Annotated[str, Meta(min_length=1, max_length=1000)] | None,
        Meta(description="Its detail, `data.error`.", examples=["content violates policy"]),
    ] = None
    fail: Annotated[
        FailCode | None,
        Meta(
            description="The submit itself fails with this code, in `data.failCode` (FAIL-6).",
            examples=["NSFW"],
        ),
    ] = None
    omit_data: Annotated[
        bool | None,
        Meta(
            description="The envelope has no `data`, as on one page of the provider (ENV-2).",
            examples=[True],
        ),
    ] = None
    retry_after: Annotated[
        RetryAfter | None,
        Meta(description="`Retry-After` in seconds, or as a date.", examples=[7, "date:7"]),
    ] = None

    json_schema: ClassVar[Json] = {
        "if": {"required": ["omit_data"], "properties": {"omit_data": {"const": True}}},
        "then": {"properties": {"detail": {"type": "null"}, "fail": {"type": "null"}}},
    }


class CallbackWithValue(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A callback fault with a value: one of these."""

    duplicate: Annotated[int, Meta(ge=1, le=100)] | None = None
    delay: Duration | None = None

    json_schema: ClassVar[Json] = {
        "oneOf": [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
            for name in ("duplicate", "delay")
        ]
    }


BareCallback = Annotated[
    CallbackFault,
    Meta(
        extra_json_schema={"enum": [each.value for each in CallbackFault if not each.traits.value]}
    ),
]


def _excluding(name: str, others: Collection[str]) -> Json:
    return {
        "if": {"required": [name], "properties": {name: {"not": {"type": "null"}}}},
        "then": {"properties": {other: {"type": "null"} for other in others}},
    }


class Apply(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The effect of a rule: one of these, or several that apply to the same operation."""

    outcome: Annotated[
        WrittenOutcome | None,
        Meta(
            description="How and when a submitted task ends.",
            examples=[{"fail": "NSFW"}, {"pending": "2s", "processing": "5s"}],
        ),
    ] = None
    refuse: Annotated[
        Refuse | None,
        Meta(
            description="The request gets an error response instead.",
            examples=[{"status": 503, "retry_after": 7}],
        ),
    ] = None
    latency: Annotated[
        WrittenLatency | None,
        Meta(
            description="The response is delayed, in real time: at most 1 h.",
            examples=[
                "400ms",
                {"uniform": ["100ms", "2s"]},
                {"lognormal": {"median": "300ms", "sigma": 0.5, "max": "3s"}},
            ],
        ),
    ] = None
    wire: Annotated[
        WireFault | None,
        Meta(description="The response is damaged on the wire.", examples=["close"]),
    ] = None
    meaning: Annotated[
        MeaningFault | None,
        Meta(
            description="The response arrives complete, but its content is wrong.",
            examples=["unknown-state"],
        ),
    ] = None
    callback: Annotated[
        BareCallback | CallbackWithValue | None,
        Meta(
            description="The callback is dropped, changed or sent at another time.",
            examples=["drop", {"duplicate": 3}, {"delay": "30s"}],
        ),
    ] = None

    json_schema: ClassVar[Json] = {
        "minProperties": 1,
        "allOf": [
            _excluding("outcome", ("refuse", "meaning", "callback")),
            _excluding("refuse", ("meaning", "callback")),
            _excluding("meaning", ("callback",)),
            _excluding("wire", ("callback",)),
        ],
    }


class Rule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A rule. `id` and `applied` are accepted because `GET` returns them; `applied` is ignored."""

    match: Match | None = None
    apply: Apply
    id: Any = None
    applied: Any = None
