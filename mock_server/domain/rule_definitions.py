"""Decode rules, check what types cannot express, and build their definitions."""

import math
import re
import warnings
from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from mock_server.domain import rule_grammar as grammar
from mock_server.domain.durations import checked_duration_ms
from mock_server.domain.errors import InvalidValue
from mock_server.domain.faults.callback import (
    REORDER_MS,
    CallbackEffect,
    CallbackFault,
    CallbackValue,
)
from mock_server.domain.faults.effect import Effect, RuleRejection
from mock_server.domain.latency import latency_of
from mock_server.domain.operation import Operation
from mock_server.domain.outcome import WrittenOutcome, check_fail_code, outcome_of
from mock_server.domain.results import NO_PERMISSION
from mock_server.domain.rules import Conditions, RuleDefinition, Turns
from mock_server.domain.validation import convert, describe, joined, shown

MAX_REGEX_COUNTS = 10_000  # A search expands counted repetitions.
MAX_REGEX_GROUPS = 100  # The search engine supports fewer nested groups than Python.
_MAX_ID_LENGTH = 100
_RULE_BYTES, _HEADER_BYTES, _MAX_CHARACTER_BYTES = 1500, 400, 4
_WITH_STATE = frozenset({Operation.STATUS, Operation.RESULT, Operation.CALLBACK})
_COUNT = r"\{(\d{1,9})?,?(\d{1,9})?\}"


def rule_definition(
    value: object, path: str, fail_codes: Mapping[str, str], *, is_checked: bool = False
) -> RuleDefinition:
    """Return the rule that a decoded value describes. Raise InvalidValue.

    With `is_checked`, the regular expression is not compiled, because that can take milliseconds.
    """
    rule = convert(value, grammar.Rule, path, whole="rule")
    assert isinstance(value, Mapping)
    written = {"match": value.get("match") or {}, "apply": value["apply"]}
    if written["apply"].get("outcome") == {}:
        names = ", ".join(WrittenOutcome.__struct_fields__)
        raise InvalidValue(joined(path, "apply.outcome"), f"must have one of {names}")
    effect = _effect(rule.apply, joined(path, "apply"), fail_codes)
    match = rule.match or grammar.Match()
    conditions = _conditions(match, joined(path, "match"), effect)
    if match.prompt_regex is not None and not is_checked:
        _check_pattern(match.prompt_regex, joined(path, "match.prompt_regex"))
    return RuleDefinition(
        id=rule.id if isinstance(rule.id, str) and len(rule.id) <= _MAX_ID_LENGTH else "",
        written=written,
        conditions=conditions,
        effect=effect,
        weight=_RULE_BYTES
        + _HEADER_BYTES * len(conditions.headers)
        + _MAX_CHARACTER_BYTES * len(msgspec.json.encode(written)),
    )


def _conditions(match: grammar.Match, path: str, effect: Effect) -> Conditions:
    operations = _operations(match, path, effect)
    if match.state is not None and not operations & _WITH_STATE:
        raise InvalidValue(
            joined(path, "state"), "is only allowed with the operations status, result and callback"
        )
    return Conditions(
        operations=tuple(each for each in Operation if each in operations),
        prompt=match.prompt,
        prompt_regex=match.prompt_regex,
        headers=_headers(match.header or {}, joined(path, "header")),
        nth=_turns(match.nth, joined(path, "nth")),
        times=match.times,
        times_each=match.times_each,
        probability=match.probability,
        state=match.state,
        attempt=match.attempt,
    )


def _operations(match: grammar.Match, path: str, effect: Effect) -> frozenset[Operation]:
    operations = effect.operations
    if match.operation is not None:
        named = match.operation if isinstance(match.operation, list) else [match.operation]
        for operation in sorted(set(named) - operations):
            needed = ", ".join(sorted(operations))
            raise InvalidValue(
                joined(path, "operation"),
                f'"{operation}" does not support {effect.fault}; use {needed}',
            )
        operations = frozenset(named)
    if match.attempt is not None and operations != {Operation.CALLBACK}:
        if match.operation is not None or Operation.CALLBACK not in operations:
            raise InvalidValue(
                joined(path, "attempt"), 'is only allowed with the operation "callback"'
            )
        operations = frozenset({Operation.CALLBACK})
    return operations


def _check_pattern(pattern: str, path: str) -> None:
    counts = [max(1, *(int(each or 1) for each in found)) for found in re.findall(_COUNT, pattern)]
    if math.prod(counts) > MAX_REGEX_COUNTS:
        raise InvalidValue(
            path, f"the product of its repetition counts {{…}} must be at most {MAX_REGEX_COUNTS}"
        )
    if _depth(pattern) > MAX_REGEX_GROUPS:
        raise InvalidValue(path, f"must have at most {MAX_REGEX_GROUPS} nested groups")
    try:
        with warnings.catch_warnings():  # About `[[`, which a later Python may read differently.
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidValue(path, f"is not a valid Python regular expression: {error}") from error


def _depth(pattern: str) -> int:
    """Return the depth of nested groups, or more if the pattern has escaped parentheses."""
    depth = deepest = 0
    for character in pattern:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _headers(written: Mapping[str, str], path: str) -> tuple[tuple[bytes, bytes], ...]:
    pairs = []
    for name, value in written.items():
        try:
            pairs.append((name.lower().encode("ascii"), value.strip().encode("latin-1")))
        except UnicodeEncodeError as error:
            raise InvalidValue(
                joined(path, name), "must have only characters that are allowed in a header"
            ) from error
    return tuple(pairs)


def _turns(written: int | str | None, path: str) -> Turns | None:
    if written is None:
        return None
    text = str(written).strip()
    if found := re.fullmatch(grammar.TURN_RANGE, text):
        if 1 <= int(found[1]) <= int(found[2]):
            return Turns(int(found[1]), int(found[2]))
    elif found := re.fullmatch(grammar.EVERY_TURN, text):
        if int(found[1]) >= 1:
            return Turns(0, 0, every=int(found[1]))
    elif int(text) >= 1:
        return Turns(int(text), int(text))
    raise InvalidValue(path, f"must be {describe(grammar.Turn)} (got {shown(written)})")


def _effect(apply: grammar.Apply, path: str, fail_codes: Mapping[str, str]) -> Effect:
    named = [name for name in apply.__struct_fields__ if getattr(apply, name) is not None]
    if not named:
        raise InvalidValue(path, f"must have one of {', '.join(apply.__struct_fields__)}")
    outcome, refuse, latency, callback = apply.outcome, apply.refuse, apply.latency, apply.callback
    effect = Effect(
        outcome=None
        if outcome is None
        else outcome_of(outcome, joined(path, "outcome"), fail_codes),
        rejection=None
        if refuse is None
        else _rejection(refuse, joined(path, "refuse"), fail_codes),
        latency=None if latency is None else latency_of(latency, joined(path, "latency")),
        wire=apply.wire,
        meaning=apply.meaning,
        callback=None if callback is None else _callback(callback, joined(path, "callback")),
    )
    if effect.rejection and (effect.outcome or effect.meaning):
        raise InvalidValue(path, "refuse cannot be combined with outcome or meaning")
    if not effect.operations:
        raise InvalidValue(
            path, f"{' and '.join(named)} apply to different operations; write two rules"
        )
    return effect


def _rejection(refuse: grammar.Refuse, path: str, fail_codes: Mapping[str, str]) -> RuleRejection:
    seconds, is_date = _retry_after(refuse.retry_after, joined(path, "retry_after"))
    check_fail_code(refuse.fail, joined(path, "fail"), fail_codes)
    if refuse.omit_data and (refuse.detail is not None or refuse.fail is not None):
        raise InvalidValue(joined(path, "omit_data"), "cannot be combined with detail or fail")
    default = _phrase(refuse.status) if refuse.fail is None else fail_codes[refuse.fail]
    return RuleRejection(
        status=refuse.status,
        message=default if refuse.message is None else refuse.message,
        detail=refuse.detail,
        fail_code=refuse.fail,
        has_data=not refuse.omit_data,
        retry_after_s=seconds,
        is_date=is_date,
    )


def _retry_after(written: int | str | None, path: str) -> tuple[int | None, bool]:
    if written is None or isinstance(written, int):
        return written, False
    text = written.removeprefix("date:")
    if not text.isdecimal() or int(text) > grammar.MAX_RETRY_AFTER_S:
        raise InvalidValue(
            path, f"must be a number of seconds from 0 to {grammar.MAX_RETRY_AFTER_S}"
        )
    return int(text), text != written


def _phrase(status: int) -> str:
    if status == HTTPStatus.FORBIDDEN:
        return NO_PERMISSION
    try:
        return HTTPStatus(status).phrase.capitalize()
    except ValueError:
        return "Error"


def _callback(written: CallbackFault | grammar.CallbackWithValue, path: str) -> CallbackEffect:
    if isinstance(written, CallbackFault):
        value = written.traits.value
        if value is not CallbackValue.NONE:
            example = 3 if value is CallbackValue.COUNT else '"30s"'
            raise InvalidValue(path, f'must be written {{"{written}": {example}}}')
        return CallbackEffect(
            fault=written, delay_ms=REORDER_MS if written is CallbackFault.REORDER else 0
        )
    if written.duplicate is not None and written.delay is None:
        return CallbackEffect(fault=CallbackFault.DUPLICATE, copies=written.duplicate)
    if written.delay is not None and written.duplicate is None:
        return CallbackEffect(
            fault=CallbackFault.DELAY,
            delay_ms=checked_duration_ms(written.delay, joined(path, "delay")),
        )
    raise InvalidValue(path, 'must be either {"duplicate": 3} or {"delay": "30s"}')
