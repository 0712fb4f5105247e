"""Find out quickly that no rule can match a request, without counting anything.

A test suite may install a hundred rules and send thousands of requests that match none of them.
"""

from collections.abc import Iterable
from typing import TypeAlias

from mock_server.domain.headers import Header
from mock_server.domain.operation import Operation
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.task import TaskState

_Key: TypeAlias = tuple[Operation, TaskState | None, bool]
_Needed: TypeAlias = dict[Header | None, dict[str, None]]


class RuleFilter:
    """An index of rules by operation, state and header, so that most rules are not checked.

    It ignores regular expressions, counters, random draws, attempts, and all headers of a rule
    but one. The part for an operation and a state is made at its first use, because making all
    parts for a thousand rules takes many milliseconds.
    """

    __slots__ = ("_definitions", "_parts")

    def __init__(self, definitions: Iterable[RuleDefinition]) -> None:
        self._definitions = tuple(definitions)
        self._parts: dict[_Key, _Needed] = {}

    def may_match(self, rule_input: RuleInput) -> bool:
        """Return False only if `fits_before_search` is false for every rule."""
        key = rule_input.operation, rule_input.state, rule_input.is_early
        by_header = self._parts.get(key)
        if by_header is None:
            by_header = self._parts[key] = self._part(*key)
        if not by_header:
            return False
        prompt = rule_input.prompt or ""
        for header in (None, *(by_header.keys() & rule_input.headers)):
            # A loop is faster than `any` here, and most of the time is spent here.
            for needed in by_header.get(header, ()):
                if needed in prompt:
                    return True
        return False

    def _part(self, operation: Operation, state: TaskState | None, is_early: bool) -> _Needed:  # noqa: FBT001
        """Return by header what a prompt must contain so that a rule may match.

        The header is None for the rules without one. A rule without a prompt needs "", which is in
        every prompt.
        """
        part: _Needed = {}
        for definition in self._definitions:
            conditions = definition.conditions
            if (
                operation in conditions.operations
                and (conditions.state is None or conditions.state is state)
                and definition.effect.can_apply(state, is_early=is_early)
            ):
                header = conditions.headers[0] if conditions.headers else None
                part.setdefault(header, {})[conditions.prompt or ""] = None
        return part
