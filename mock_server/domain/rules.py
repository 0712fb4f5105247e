"""A rule, `{"match": {…}, "apply": {…}}`: what it matches, and how it is read."""

import math
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import msgspec

from mock_server.domain.faults import AT_SUCCESS, Apply, parse_apply
from mock_server.domain.journal import Operation
from mock_server.domain.task import TaskState
from mock_server.domain.wording import Wrong, known_members, number, text, whole, word

MEMBERS = (
    "operation", "prompt", "prompt_regex", "header", "nth", "times", "times_each", "probability",
    "state", "attempt",
)  # fmt: skip
MAX_PROMPT_LENGTH = 10_000
MAX_HEADER_LENGTH = 4000
MAX_ATTEMPT = 100
MAX_REGEX_LENGTH = 1000
MAX_REGEX_COUNTS = 10_000  # `regex` unrolls what is counted
REGEX_TIME_S = 0.05  # of all searches for one request; those it does not reach match nothing
MANY = 1_000_000_000
RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")
_COUNT = re.compile(r"\{(\d{1,9})?,?(\d{1,9})?\}")
_BRACE = re.compile(r"\\.|\{(?!\d*,?\d*\})", re.DOTALL)
EVERY = re.compile(r"every\s+(\d{1,9})")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request or a callback attempt, as far as rules look at it.

    `subject` is what it is about: a task's id, the prompt of a submit, or nothing.
    """

    operation: Operation
    subject: str = ""
    task_id: str = ""  # empty where no known task is concerned
    prompt: str | None = None
    headers: Mapping[bytes, bytes] = {}
    state: TaskState | None = None
    attempt: int = 0
    is_early: bool = False  # the moment of the submit, when a callback may come too early


class Nth(msgspec.Struct, frozen=True):
    first: int
    last: int
    every: int = 0

    def holds(self, count: int) -> bool:
        if self.every:
            return count % self.every == 0
        return self.first <= count <= self.last


class Match(msgspec.Struct, frozen=True, kw_only=True):
    operations: frozenset[Operation]
    prompt: str | None = None
    prompt_regex: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    nth: Nth | None = None
    times: int | None = None
    times_each: int | None = None  # for one task, or one prompt
    probability: float | None = None
    state: TaskState | None = None
    attempt: int | None = None

    def lets_through(self, asked: Asked, search: "Search") -> bool:
        """Tell whether all holds that needs no counting and no chance."""
        return (
            asked.operation in self.operations
            and (self.state is None or asked.state is self.state)
            and (self.attempt is None or asked.attempt == self.attempt)
            and all(asked.headers.get(name) == value for name, value in self.headers)
            and (self.prompt is None or self.prompt in (asked.prompt or ""))
            and (self.prompt_regex is None or search.finds(self.prompt_regex, asked.prompt))
        )


class Search:
    """Looks for regular expressions on behalf of one request, which must not hold up others."""

    def __init__(self, left_s: float = REGEX_TIME_S) -> None:
        self._left_s = left_s

    def finds(self, pattern: str, prompt: str | None) -> bool:
        import regex  # noqa: PLC0415  # as below

        if prompt is None or self._left_s <= 0:
            return False
        begun_s = perf_counter()
        try:
            found = regex.search(_as_in_python(pattern), prompt, timeout=self._left_s)
        except TimeoutError:
            found = None
        self._left_s -= perf_counter() - begun_s
        return found is not None


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it was written, and as it was read; `id` if it has had one before."""

    id: str = ""
    written: dict[str, Any]
    match: Match
    apply: Apply

    def suits(self, asked: Asked) -> bool:
        """Tell whether the rule can do anything here at all."""
        kind = self.apply.callback.kind if self.apply.callback else ""
        if (kind == "before-answer") != asked.is_early:
            return False
        if self.apply.meaning and asked.state is None:
            return False
        if self.apply.meaning in AT_SUCCESS:
            return asked.state is TaskState.SUCCESS
        if self.apply.meaning == "final-late":
            return asked.state is not None and asked.state.is_final
        return True


def parse_rule(value: object, path: str, fail_codes: Mapping[str, str]) -> Definition:
    """Raise Wrong naming the path of what is wrong and the nearest known word.

    `applied`, which showing a rule adds, is taken and ignored.
    """
    members = known_members(value, path, ("match", "apply", "id", "applied"))
    if "apply" not in members:
        raise Wrong(f"{path}.apply", "is required")
    apply = parse_apply(members["apply"], f"{path}.apply", fail_codes)
    match = _match(members.get("match", {}), f"{path}.match", apply)
    written = {"match": members.get("match", {}), "apply": members["apply"]}
    name = members.get("id", "")
    return Definition(
        id=name if isinstance(name, str) else "", written=written, match=match, apply=apply
    )


def _match(value: object, path: str, apply: Apply) -> Match:
    members = known_members(value, path, MEMBERS)
    operations = _operations(members.get("operation"), f"{path}.operation", apply)
    state, attempt = members.get("state"), members.get("attempt")
    if attempt is not None and operations != {Operation.CALLBACK}:
        if "operation" in members or Operation.CALLBACK not in operations:
            raise Wrong(f"{path}.attempt", "goes with the operation 'callback' only")
        operations = frozenset({Operation.CALLBACK})
    if state is not None and not operations & _WITH_STATE:
        raise Wrong(f"{path}.state", "goes with the operations status, result and callback only")
    return Match(
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


def _operations(value: object, path: str, apply: Apply) -> frozenset[Operation]:
    if value is None:
        return apply.operations
    written = value if isinstance(value, list | tuple) else [value]
    if not written:
        raise Wrong(path, f"must be one or more of {', '.join(_OPERATIONS)}")
    named = frozenset(Operation(word(each, path, _OPERATIONS)) for each in written)
    for operation in sorted(named - apply.operations):
        fitting = ", ".join(sorted(apply.operations))
        raise Wrong(path, f"'{operation}' does not go with {apply.fault}, which needs {fitting}")
    return named


def _regex(value: object, path: str) -> str | None:
    if value is None:
        return None
    import regex  # noqa: PLC0415  # searches with a time limit; few need it

    written = text(value, path, MAX_REGEX_LENGTH)
    counts = [max(1, *(int(each or 1) for each in found)) for found in _COUNT.findall(written)]
    if math.prod(counts) > MAX_REGEX_COUNTS:
        raise Wrong(path, f"its counts, {{…}}, multiply to more than {MAX_REGEX_COUNTS}")
    try:
        re.compile(written)
        regex.compile(_as_in_python(written))
    except (re.error, regex.error, OverflowError, RecursionError) as error:
        raise Wrong(path, f"is no regular expression of Python: {error}") from error
    return written


def _as_in_python(pattern: str) -> str:
    """Escape braces that hold no count: text in Python, fuzzy matching in `regex`."""
    return _BRACE.sub(lambda found: found[0] if found[0][0] == "\\" else r"\{", pattern)


def _headers(value: object, path: str) -> tuple[tuple[bytes, bytes], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping) or not value:
        raise Wrong(path, 'must be an object such as {"X-Test": "yes"}')
    pairs = []
    for name, wanted in value.items():
        written = text(wanted, f"{path}.{name}", MAX_HEADER_LENGTH)
        try:
            pairs.append((str(name).lower().encode("ascii"), written.strip().encode("latin-1")))
        except UnicodeEncodeError as error:
            raise Wrong(f"{path}.{name}", "must be characters that a header can hold") from error
    return tuple(pairs)


def _nth(value: object, path: str) -> Nth | None:
    if value is None:
        return None
    form = 'must be a number from 1, "2..4" or "every 3"'
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MANY:
        return Nth(value, value)
    if isinstance(value, str):
        if found := RANGE.fullmatch(value.strip()):
            first, last = int(found[1]), int(found[2])
            if 1 <= first <= last:
                return Nth(first, last)
        if (found := EVERY.fullmatch(value.strip())) and int(found[1]) >= 1:
            return Nth(0, 0, int(found[1]))
        written = value.strip()
        if written.isdecimal() and len(written) < 10 and int(written) >= 1:
            return Nth(int(written), int(written))
    raise Wrong(path, form)


def _probability(value: object, path: str) -> float | None:
    return None if value is None else number(value, path, 0, 1)


def _text(members: Mapping[str, object], name: str, path: str, longest: int) -> str | None:
    return text(members[name], f"{path}.{name}", longest) if name in members else None


def _whole(members: Mapping[str, object], name: str, path: str, most: int) -> int | None:
    return whole(members[name], f"{path}.{name}", 1, most) if name in members else None
