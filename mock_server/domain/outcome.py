"""The outcome in a rule or a directive: how and when a task ends.

If several members decide when it ends, `hold` takes precedence over `polls`, and `polls` over the
durations.
"""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from mock_server.domain.durations import Duration, checked_duration_ms
from mock_server.domain.errors import InvalidValue, quoted
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.validation import convert, joined

MAX_MESSAGE_LENGTH = 1000
MAX_POLLS = 1_000_000

FailCode = Annotated[str, Meta(extra_json_schema={"$ref": "#/components/schemas/FailCode"})]
Polls = Annotated[
    Annotated[int, Meta(ge=1, le=MAX_POLLS)] | Annotated[str, Meta(pattern=r"^\d{1,9}$")],
    Meta(extra={"form": f"a whole number from 1 to {MAX_POLLS}"}),
]
Hold = Annotated[bool, Meta(extra={"form": "true or false; in a prompt, `hold` without a value"})]


class WrittenOutcome(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How and when a task ends."""

    fail: Annotated[
        FailCode | None, Meta(description="The task fails with this code.", examples=["NSFW"])
    ] = None
    message: Annotated[
        Annotated[str, Meta(max_length=MAX_MESSAGE_LENGTH)] | None,
        Meta(description="The message of the failure. Needs `fail`.", examples=["not safe"]),
    ] = None
    pending: Annotated[
        Duration | None,
        Meta(description="How long the task is pending, on the sandbox's clock.", examples=["2s"]),
    ] = None
    processing: Annotated[
        Duration | None,
        Meta(description="How long the task is processing after that.", examples=["5s"]),
    ] = None
    polls: Annotated[
        Polls | None,
        Meta(description="The task ends at this status request instead of by time.", examples=[3]),
    ] = None
    hold: Annotated[
        Hold | None,
        Meta(
            description="The task stays in processing until the control plane ends it.",
            examples=[True],
        ),
    ] = None

    json_schema: ClassVar[dict[str, Any]] = {
        "minProperties": 1,
        "if": {"required": ["message"], "properties": {"message": {"type": "string"}}},
        "then": {"required": ["fail"], "properties": {"fail": {"type": "string"}}},
    }


MEMBERS = WrittenOutcome.__struct_fields__


class Outcome(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    fail: str | None = None
    message: str | None = None
    pending_ms: int | None = None
    processing_ms: int | None = None
    polls: int | None = None  # The task ends at this status request instead of by time.
    hold: bool = False  # The task stays in processing until the control plane ends it.


def parse_outcome(members: Mapping[str, object], fail_codes: Collection[str]) -> Outcome:
    """Return the outcome that these members describe. Raise InvalidValue."""
    return outcome_of(convert(members, WrittenOutcome), "", fail_codes)


def outcome_of(written: WrittenOutcome, path: str, fail_codes: Collection[str]) -> Outcome:
    """Return the outcome that a decoded value describes. Raise InvalidValue."""
    check_fail_code(written.fail, joined(path, "fail"), fail_codes)
    if written.message is not None and written.fail is None:
        raise InvalidValue(joined(path, "message"), "requires a fail code; add fail=…")
    return Outcome(
        fail=written.fail,
        message=written.message,
        pending_ms=_duration_ms(written.pending, joined(path, "pending")),
        processing_ms=_duration_ms(written.processing, joined(path, "processing")),
        polls=_polls(written.polls, joined(path, "polls")),
        hold=bool(written.hold),
    )


def check_fail_code(code: str | None, path: str, fail_codes: Collection[str]) -> None:
    """Raise InvalidValue if this is an unknown fail code."""
    if code is not None and code not in fail_codes:
        hint = did_you_mean(code, fail_codes)
        raise InvalidValue(path, f"{quoted(code)} is unknown{hint}")


def _duration_ms(written: float | str | None, path: str) -> int | None:
    return None if written is None else checked_duration_ms(written, path)


def _polls(written: int | str | None, path: str) -> int | None:
    if written is None or isinstance(written, int):
        return written
    if written.isdecimal() and 1 <= int(written) <= MAX_POLLS:
        return int(written)
    raise InvalidValue(
        path, f"must be a whole number from 1 to {MAX_POLLS} (got {quoted(written)})"
    )
