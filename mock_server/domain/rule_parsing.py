"""Read rules as people write them."""

import math
import re
from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from mock_server.domain.durations import duration_ms
from mock_server.domain.errors import RuleError
from mock_server.domain.faults.callback import REORDER_MS, CallbackEffect, CallbackFault
from mock_server.domain.faults.effect import Effect, RuleRejection
from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.faults.wire import WireFault
from mock_server.domain.journal import Operation
from mock_server.domain.latency import Latency, parse_latency
from mock_server.domain.outcome import Outcome, parse_outcome
from mock_server.domain.rules import Conditions, RuleDefinition, Turns
from mock_server.domain.task import TaskState
from mock_server.domain.wording import known_members, number, text, whole, word

MEMBERS = (
    "operation", "prompt", "prompt_regex", "header", "nth", "times", "times_each", "probability",
    "state", "attempt",
)  # fmt: skip
EFFECTS = ("outcome", "refuse", "latency", "wire", "meaning", "callback")
CALLBACKS_WITH_VALUE = ("duplicate", "delay")
STATUSES = (400, 599)  # from, to: what a refusal may say
MAX_DUPLICATES = 100
MAX_RETRY_AFTER_S = 86_400
MAX_PROMPT_LENGTH = 10_000
MAX_HEADER_LENGTH = 4000
MAX_ATTEMPT = 100
MAX_REGEX_LENGTH = 1000
MAX_REGEX_COUNTS = 10_000  # `regex` unrolls what is counted
MAX_REGEX_GROUPS = 100  # nested
MANY = 1_000_000_000
RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")
_COUNT = re.compile(r"\{(\d{1,9})?,?(\d{1,9})?\}")
EVERY = re.compile(r"every\s+(\d{1,9})")


def parse_rule(value: object, path: str, fail_codes: Mapping[str, str]) -> RuleDefinition:
    """Raise RuleError naming the path of what is wrong and the nearest known word.

    `applied`, which showing a rule adds, is taken and ignored.
    """
    members = known_members(value, path, ("match", "apply", "id", "applied"))
    if "apply" not in members:
        raise RuleError(f"{path}.apply", "is required")
    effect = parse_apply(members["apply"], f"{path}.apply", fail_codes)
    conditions = _match(members.get("match", {}), f"{path}.match", effect)
    written = {"match": members.get("match", {}), "apply": members["apply"]}
    name = members.get("id", "")
    return RuleDefinition(
        id=name if isinstance(name, str) else "",
        written=written,
        conditions=conditions,
        effect=effect,
    )


def _match(value: object, path: str, effect: Effect) -> Conditions:
    members = known_members(value, path, MEMBERS)
    operations = _operations(members.get("operation"), f"{path}.operation", effect)
    state, attempt = members.get("state"), members.get("attempt")
    if attempt is not None and operations != {Operation.CALLBACK}:
        if "operation" in members or Operation.CALLBACK not in operations:
            raise RuleError(f"{path}.attempt", "goes with the operation 'callback' only")
        operations = frozenset({Operation.CALLBACK})
    if state is not None and not operations & _WITH_STATE:
        raise RuleError(f"{path}.state", "goes with status, result and callback only")
    return Conditions(
        operations=operations,
        prompt=_text(members, "prompt", path, MAX_PROMPT_LENGTH),
        prompt_regex=_regex(members.get("prompt_regex"), f"{path}.prompt_regex"),
        headers=_headers(members.get("header"), f"{path}.header"),
        nth=_nth(members.get("nth"), f"{path}.nth"),
        times=_whole(members, "times", path, MANY),
        times_each=_whole(members, "times_each", path, MANY),
        probability=_probability(members.get("probability"), f"{path}.probability"),
        state=None if state is None else TaskState(word(state, f"{path}.state", _STATES)),
        attempt=_whole(members, "attempt", path, MAX_ATTEMPT),
    )


_STATES = tuple(state.value for state in TaskState)
_WITH_STATE = frozenset({Operation.STATUS, Operation.RESULT, Operation.CALLBACK})
_OPERATIONS = tuple(operation.value for operation in Operation)


def _operations(value: object, path: str, effect: Effect) -> frozenset[Operation]:
    if value is None:
        return effect.operations
    written = value if isinstance(value, list | tuple) else [value]
    if not written:
        raise RuleError(path, f"must be one or more of {', '.join(_OPERATIONS)}")
    named = frozenset(Operation(word(each, path, _OPERATIONS)) for each in written)
    for operation in sorted(named - effect.operations):
        fitting = ", ".join(sorted(effect.operations))
        raise RuleError(
            path, f"'{operation}' does not go with {effect.fault}, which needs {fitting}"
        )
    return named


def _regex(value: object, path: str) -> str | None:
    if value is None:
        return None
    written = text(value, path, MAX_REGEX_LENGTH)
    counts = [max(1, *(int(each or 1) for each in found)) for found in _COUNT.findall(written)]
    if math.prod(counts) > MAX_REGEX_COUNTS:
        raise RuleError(path, f"its counts, {{…}}, multiply to more than {MAX_REGEX_COUNTS}")
    if _depth(written) > MAX_REGEX_GROUPS:
        raise RuleError(path, f"must have at most {MAX_REGEX_GROUPS} nested groups")
    try:
        re.compile(written)
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(path, f"is no regular expression of Python: {error}") from error
    return written


def _depth(pattern: str) -> int:
    """Return how deep its groups are nested, or more where parentheses are text."""
    depth = deepest = 0
    for character in pattern:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _headers(value: object, path: str) -> tuple[tuple[bytes, bytes], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping) or not value:
        raise RuleError(path, 'must be an object such as {"X-Test": "yes"}')
    pairs = []
    for name, wanted in value.items():
        written = text(wanted, f"{path}.{name}", MAX_HEADER_LENGTH)
        try:
            pairs.append((str(name).lower().encode("ascii"), written.strip().encode("latin-1")))
        except UnicodeEncodeError as error:
            raise RuleError(f"{path}.{name}", "must be characters of a header") from error
    return tuple(pairs)


def _nth(value: object, path: str) -> Turns | None:
    if value is None:
        return None
    form = 'must be a number from 1, "2..4" or "every 3"'
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MANY:
        return Turns(value, value)
    if isinstance(value, str):
        if found := RANGE.fullmatch(value.strip()):
            first, last = int(found[1]), int(found[2])
            if 1 <= first <= last:
                return Turns(first, last)
        if (found := EVERY.fullmatch(value.strip())) and int(found[1]) >= 1:
            return Turns(0, 0, int(found[1]))
        written = value.strip()
        if written.isdecimal() and len(written) < 10 and int(written) >= 1:
            return Turns(int(written), int(written))
    raise RuleError(path, form)


def _probability(value: object, path: str) -> float | None:
    return None if value is None else number(value, path, 0, 1)


def _text(members: Mapping[str, object], name: str, path: str, longest: int) -> str | None:
    return text(members[name], f"{path}.{name}", longest) if name in members else None


def _whole(members: Mapping[str, object], name: str, path: str, most: int) -> int | None:
    return whole(members[name], f"{path}.{name}", 1, most) if name in members else None


def parse_apply(value: object, path: str, fail_codes: Mapping[str, str]) -> Effect:
    """Raise RuleError naming the path of what is wrong."""
    members = known_members(value, path, EFFECTS)
    if not members:
        raise RuleError(path, f"must have one of {', '.join(EFFECTS)}")
    made = Effect(
        outcome=_outcome(members.get("outcome"), f"{path}.outcome", fail_codes),
        rejection=_refuse(members.get("refuse"), f"{path}.refuse"),
        latency=_latency(members.get("latency"), f"{path}.latency"),
        wire=_wire(members.get("wire"), f"{path}.wire"),
        meaning=_meaning(members.get("meaning"), f"{path}.meaning"),
        callback=_callback(members.get("callback"), f"{path}.callback"),
    )
    if made.rejection and (made.outcome or made.meaning):
        raise RuleError(path, "a refused request has neither outcome nor meaning")
    if not made.operations:
        raise RuleError(path, f"{' and '.join(members)} never meet in one operation; write two")
    return made


def _latency(value: object, path: str) -> Latency | None:
    return None if value is None else parse_latency(value, path)


def _outcome(value: object, path: str, fail_codes: Mapping[str, str]) -> Outcome | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value:
        raise RuleError(path, "must have fail, message, pending, processing, polls or hold")
    try:
        return parse_outcome(value, fail_codes)
    except ValueError as error:
        raise RuleError(f"{path}.{str(error).partition(':')[0]}", _problem(error)) from error


def _problem(error: ValueError) -> str:
    return str(error).partition(": ")[2]


def _refuse(value: object, path: str) -> RuleRejection | None:
    if value is None:
        return None
    members = known_members(value, path, ("status", "message", "retry_after"))
    if "status" not in members:
        raise RuleError(f"{path}.status", "is required")
    status = whole(members["status"], f"{path}.status", *STATUSES)
    seconds, is_date = _retry_after(members.get("retry_after"), f"{path}.retry_after")
    message = members.get("message")
    return RuleRejection(
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
        raise RuleError(path, 'must be a number of seconds, "date:7" for a date, or null for none')
    return whole(int(written), path, 0, MAX_RETRY_AFTER_S), is_date


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.capitalize()
    except ValueError:
        return "Error"


def _wire(value: object, path: str) -> WireFault | None:
    return (
        None if value is None else msgspec.convert(word(value, path, tuple(WireFault)), WireFault)
    )


def _meaning(value: object, path: str) -> MeaningFault | None:
    return (
        None
        if value is None
        else msgspec.convert(word(value, path, tuple(MeaningFault)), MeaningFault)
    )


def _callback(value: object, path: str) -> CallbackEffect | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        kind = word(value, path, tuple(CallbackFault))
        if kind in CALLBACKS_WITH_VALUE:
            form = '{"duplicate": 3}' if kind == "duplicate" else '{"delay": "30s"}'
            raise RuleError(path, f"must be written {form}")
        return CallbackEffect(
            fault=msgspec.convert(kind, CallbackFault),
            delay_ms=REORDER_MS if kind == "reorder" else 0,
        )
    members = known_members(value, path, CALLBACKS_WITH_VALUE)
    if len(members) != 1:
        raise RuleError(path, 'must be one of {"duplicate": 3} and {"delay": "30s"}')
    if "duplicate" in members:
        copies = whole(members["duplicate"], f"{path}.duplicate", 1, MAX_DUPLICATES)
        return CallbackEffect(fault=CallbackFault.DUPLICATE, copies=copies)
    try:
        return CallbackEffect(fault=CallbackFault.DELAY, delay_ms=duration_ms(members["delay"]))
    except ValueError as error:
        raise RuleError(f"{path}.delay", str(error)) from error
