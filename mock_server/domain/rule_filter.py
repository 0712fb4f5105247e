"""Find out quickly that no rule can match a request, without counting anything.

A test suite may install a hundred rules and send thousands of requests that match none of them.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from mock_server.domain.headers import Header
from mock_server.domain.operation import Operation
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.task import TaskState

_Key: TypeAlias = tuple[Operation, TaskState | None, bool]


class RuleFilter:
    """An index of rules by operation, state and header, so that most rules are not checked.

    It ignores regular expressions, counters, random draws, attempts, and all headers of a rule
    but one.
    """

    __slots__ = ("_prompts",)

    def __init__(self, definitions: Iterable[RuleDefinition]) -> None:
        # By operation and state, then by header: what a prompt must contain. The header is None
        # for the rules without one; a rule without a prompt needs "", which is in every prompt.
        prompts: dict[_Key, dict[Header | None, dict[str, None]]] = {}
        for definition in definitions:
            conditions = definition.conditions
            header = conditions.headers[0] if conditions.headers else None
            for key in _keys(definition):
                needed = prompts.setdefault(key, {}).setdefault(header, {})
                needed[conditions.prompt or ""] = None
        self._prompts = prompts

    def may_match(self, rule_input: RuleInput) -> bool:
        """Return False only if `fits_before_search` is false for every rule."""
        key = rule_input.operation, rule_input.state, rule_input.is_early
        by_header = self._prompts.get(key)
        if by_header is None:
            return False
        prompt = rule_input.prompt or ""
        for header in (None, *(by_header.keys() & rule_input.headers)):
            # A loop is faster than `any` here, and most of the time is spent here.
            for needed in by_header.get(header, ()):
                if needed in prompt:
                    return True
        return False


def _keys(definition: RuleDefinition) -> Iterator[_Key]:
    """Yield the operations and states for which a rule can be applied."""
    conditions, effect = definition.conditions, definition.effect
    is_early = effect.callback is not None and effect.callback.fault.traits.is_early
    for state in (None, *TaskState):
        if conditions.state in {None, state} and effect.can_apply(state, is_early=is_early):
            for operation in conditions.operations:
                yield operation, state, is_early
