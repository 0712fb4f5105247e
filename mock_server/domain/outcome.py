"""How somebody wants a task to go: fail code, durations, polls, hold: any of them.

Where several decide about the end, `hold` goes before `polls`, and `polls` before the durations.
"""

from collections.abc import Mapping

import msgspec

from mock_server.domain.durations import duration_ms
from mock_server.domain.nearest import did_you_mean

MEMBERS = ("fail", "message", "pending", "processing", "polls", "hold")
MAX_MESSAGE_LENGTH = 1000
MAX_POLLS = 1_000_000


class Outcome(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    fail: str | None = None
    message: str | None = None
    pending_ms: int | None = None
    processing_ms: int | None = None
    polls: int | None = None  # ends at the n-th status request instead of by time
    hold: bool = False  # stays processing until control releases it


def parse_outcome(members: Mapping[str, object], fail_codes: Mapping[str, str]) -> Outcome:
    """Read the members of an outcome.

    Raises ValueError naming the member, what is wrong, and the nearest known word.
    """
    for name in members:
        if name not in MEMBERS:
            raise ValueError(f"{name}: is unknown{did_you_mean(name, MEMBERS)}")
    outcome = Outcome(
        fail=_fail_code(members.get("fail"), fail_codes),
        message=_message(members.get("message")),
        pending_ms=_duration("pending", members.get("pending")),
        processing_ms=_duration("processing", members.get("processing")),
        polls=_polls(members.get("polls")),
        hold=_flag(members.get("hold")),
    )
    if outcome.message is not None and outcome.fail is None:
        raise ValueError("message: needs a fail code beside it, fail=…")
    return outcome


def _fail_code(value: object, known: Mapping[str, str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"fail: {value!r} is unknown{did_you_mean(str(value), known)}")
    return value


def _message(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_MESSAGE_LENGTH:
        raise ValueError(f"message: must be a string of at most {MAX_MESSAGE_LENGTH} characters")
    return value


def _duration(name: str, value: object) -> int | None:
    if value is None:
        return None
    try:
        return duration_ms(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _polls(value: object) -> int | None:
    if value is None:
        return None
    is_number = isinstance(value, str) and value.isdecimal() and len(value) < 10
    written = int(str(value)) if is_number else value
    if isinstance(written, bool) or not isinstance(written, int) or not 1 <= written <= MAX_POLLS:
        raise ValueError(f"polls: must be a whole number from 1 to {MAX_POLLS}")
    return written


def _flag(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise ValueError("hold: takes no value")
