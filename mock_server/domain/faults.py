"""What a rule does to what it matches: the `apply` of a rule as data."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from mock_server.domain.durations import duration_ms
from mock_server.domain.journal import Operation
from mock_server.domain.latency import Latency, parse_latency
from mock_server.domain.outcome import Outcome, parse_outcome
from mock_server.domain.wording import Wrong, known_members, text, whole, word

WIRE = (
    "close", "reset", "half-body", "dribble", "garbage", "empty", "html-error",
    "wrong-content-type", "invalid-json", "bad-gzip",
)  # fmt: skip
STATUS_MEANINGS = (
    "result-json-malformed", "result-urls-empty", "unknown-state", "unknown-members",
    "member-order", "final-late",
)  # fmt: skip
RESULT_MEANINGS = (
    "result-missing", "result-truncated", "result-corrupt", "result-wrong-type", "result-expired",
)  # fmt: skip
AT_SUCCESS = ("result-json-malformed", "result-urls-empty")  # nothing to break before
CALLBACKS = (
    "drop", "duplicate", "delay", "before-answer", "reorder", "both", "forged-id", "garbage",
    "slow",
)  # fmt: skip
CALLBACKS_WITH_VALUE = ("duplicate", "delay")
STATUSES = (400, 599)  # from, to: what a refusal may say
MAX_DUPLICATES = 100
MAX_RETRY_AFTER_S = 86_400
_REQUESTS = frozenset(Operation) - {Operation.CALLBACK}


class Refuse(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    message: str
    retry_after_s: int | None = None
    is_date: bool = False  # `Retry-After` as an HTTP date


class CallbackFault(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    copies: int = 0  # duplicate: so many beside the true one
    delay_ms: int = 0  # of the sandbox's clock


class Apply(msgspec.Struct, frozen=True, kw_only=True):
    outcome: Outcome | None = None
    refuse: Refuse | None = None
    latency: Latency | None = None
    wire: str | None = None
    meaning: str | None = None
    callback: CallbackFault | None = None

    @property
    def operations(self) -> frozenset[Operation]:
        """Where all of it can be applied."""
        found = frozenset(Operation)
        if self.outcome:
            found &= {Operation.SUBMIT}
        if self.refuse or self.wire:
            found &= _REQUESTS
        if self.meaning:
            is_of_result = self.meaning in RESULT_MEANINGS
            found &= {Operation.RESULT if is_of_result else Operation.STATUS}
        if self.callback:
            found &= {Operation.CALLBACK}
        return found

    @property
    def fault(self) -> str:
        """What is injected, in a few words, for headers and the journal."""
        words = []
        if self.outcome:
            words.append(f"outcome {self.outcome.fail or 'steered'}")
        if self.refuse:
            words.append(f"refuse {self.refuse.status}")
        if self.latency:
            words.append("latency")
        if self.wire:
            words.append(f"wire {self.wire}")
        if self.meaning:
            words.append(f"meaning {self.meaning}")
        if self.callback:
            words.append(f"callback {self.callback.kind}")
        return ", ".join(words)


def parse_apply(value: object, path: str, fail_codes: Mapping[str, str]) -> Apply:
    """Raise Wrong naming the path of what is wrong."""
    members = known_members(value, path, Apply.__struct_fields__)
    if not members:
        raise Wrong(path, f"must have one of {', '.join(Apply.__struct_fields__)}")
    made = Apply(
        outcome=_outcome(members.get("outcome"), f"{path}.outcome", fail_codes),
        refuse=_refuse(members.get("refuse"), f"{path}.refuse"),
        latency=_latency(members.get("latency"), f"{path}.latency"),
        wire=_one_of(members.get("wire"), f"{path}.wire", WIRE),
        meaning=_one_of(
            members.get("meaning"), f"{path}.meaning", STATUS_MEANINGS + RESULT_MEANINGS
        ),
        callback=_callback(members.get("callback"), f"{path}.callback"),
    )
    if made.refuse and (made.outcome or made.meaning):
        raise Wrong(path, "a refused request has neither outcome nor meaning")
    if not made.operations:
        raise Wrong(path, f"{' and '.join(members)} never meet in one operation; write two rules")
    return made


def _latency(value: object, path: str) -> Latency | None:
    return None if value is None else parse_latency(value, path)


def _outcome(value: object, path: str, fail_codes: Mapping[str, str]) -> Outcome | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value:
        raise Wrong(path, "must be an object with fail, message, pending, processing, polls, hold")
    try:
        return parse_outcome(value, fail_codes)
    except ValueError as error:
        raise Wrong(f"{path}.{str(error).partition(':')[0]}", _problem(error)) from error


def _problem(error: ValueError) -> str:
    return str(error).partition(": ")[2]


def _refuse(value: object, path: str) -> Refuse | None:
    if value is None:
        return None
    members = known_members(value, path, ("status", "message", "retry_after"))
    if "status" not in members:
        raise Wrong(f"{path}.status", "is required")
    status = whole(members["status"], f"{path}.status", *STATUSES)
    seconds, is_date = _retry_after(members.get("retry_after"), f"{path}.retry_after")
    message = members.get("message")
    return Refuse(
        status=status,
        message=_phrase(status) if message is None else text(message, f"{path}.message"),
        retry_after_s=seconds,
        is_date=is_date,
    )


def _retry_after(value: object, path: str) -> tuple[int | None, bool]:
    if value is None:
        return None, False
    is_date = isinstance(value, str) and value.startswith("date:")
    written = str(value).removeprefix("date:")
    if isinstance(value, bool) or not written.isdecimal() or len(written) > 6:
        raise Wrong(path, 'must be a number of seconds, "date:7" for a date, or null for none')
    return whole(int(written), path, 0, MAX_RETRY_AFTER_S), is_date


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.capitalize()
    except ValueError:
        return "Error"


def _one_of(value: object, path: str, known: tuple[str, ...]) -> str | None:
    return None if value is None else word(value, path, known)


def _callback(value: object, path: str) -> CallbackFault | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        kind = word(value, path, CALLBACKS)
        if kind in CALLBACKS_WITH_VALUE:
            form = '{"duplicate": 3}' if kind == "duplicate" else '{"delay": "30s"}'
            raise Wrong(path, f"must be written {form}")
        return CallbackFault(kind=kind)
    members = known_members(value, path, CALLBACKS_WITH_VALUE)
    if len(members) != 1:
        raise Wrong(path, 'must be one of {"duplicate": 3} and {"delay": "30s"}')
    if "duplicate" in members:
        copies = whole(members["duplicate"], f"{path}.duplicate", 1, MAX_DUPLICATES)
        return CallbackFault(kind="duplicate", copies=copies)
    try:
        return CallbackFault(kind="delay", delay_ms=duration_ms(members["delay"]))
    except ValueError as error:
        raise Wrong(f"{path}.delay", str(error)) from error
