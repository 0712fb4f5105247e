"""Rules as values: the input of a rule, its conditions and its effect."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from mock_server.domain.errors import InvalidValue
from mock_server.domain.faults.effect import Effect
from mock_server.domain.headers import Header
from mock_server.domain.operation import Operation
from mock_server.domain.task import TaskState


class RuleInput(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The part of a request or callback attempt that rules can use.

    `subject` is a task's id, the prompt of a submit, or empty. `found_patterns` are those regular
    expressions of the rules that were found in the prompt. They are searched for beforehand,
    because a search has a time limit and so is not deterministic. A durable store gets only those
    `headers` that a rule asks for, because others may be secret.
    """

    operation: Operation
    subject: str = ""
    task_id: str = ""  # Empty if the request is about no known task.
    prompt: str | None = None
    headers: AbstractSet[Header] = frozenset()
    state: TaskState | None = None
    attempt: int = 0
    is_early: bool = False  # During the submit, to send the callback early.
    found_patterns: frozenset[str] = frozenset()


_MIB = 1024 * 1024
MAX_RULES_BYTES = 32 * _MIB  # For the rules of a sandbox, and again for its queue.


class Turns(msgspec.Struct, frozen=True):
    """The matches to which a rule is applied: a range of numbers, or every n-th."""

    first: int
    last: int
    every: int = 0

    def includes(self, count: int) -> bool:
        if self.every:
            return count % self.every == 0
        return self.first <= count <= self.last


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """The `match` of a rule. All conditions must hold."""

    operations: tuple[Operation, ...]  # In one order, so that equal rules are encoded alike.
    prompt: str | None = None
    prompt_regex: str | None = None
    headers: tuple[Header, ...] = ()
    nth: Turns | None = None
    times: int | None = None
    times_each: int | None = None  # Per task or prompt.
    probability: float | None = None
    state: TaskState | None = None
    attempt: int | None = None

    def hold_for(self, rule_input: RuleInput) -> bool:
        """Tell whether all conditions hold that depend on neither counters nor random draws."""
        return self.hold_before_search(rule_input) and (
            self.prompt_regex is None or self.prompt_regex in rule_input.found_patterns
        )

    def hold_before_search(self, rule_input: RuleInput) -> bool:
        """Tell the same as `hold_for`, without the regular expression."""
        return (
            rule_input.operation in self.operations
            and (self.state is None or rule_input.state is self.state)
            and (self.attempt is None or rule_input.attempt == self.attempt)
            and (not self.headers or all(header in rule_input.headers for header in self.headers))
            and (self.prompt is None or self.prompt in (rule_input.prompt or ""))
        )

    @property
    def is_certain(self) -> bool:
        """Whether the rule applies whenever `hold_for` is true."""
        return (
            self.prompt_regex is None
            and self.nth is None
            and self.times is None
            and self.times_each is None
            and self.probability is None
        )


class RuleDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it was written, and its meaning; `id` is empty for a new rule."""

    id: str = ""
    written: dict[str, Any]
    conditions: Conditions
    effect: Effect
    weight: int = 0  # An estimate of its memory in bytes, rarely too low.

    def fits(self, rule_input: RuleInput) -> bool:
        """Tell whether the rule matches, without its counters and random draws."""
        return self._can_apply(rule_input) and self.conditions.hold_for(rule_input)

    def fits_before_search(self, rule_input: RuleInput) -> bool:
        """Tell whether the rule matches if its regular expression is found."""
        return self._can_apply(rule_input) and self.conditions.hold_before_search(rule_input)

    def _can_apply(self, rule_input: RuleInput) -> bool:
        return self.effect.can_apply(rule_input.state, is_early=rule_input.is_early)


def check_weight(rules: Iterable[RuleDefinition], path: str) -> None:
    """Raise InvalidValue if rules of one sandbox need too much memory."""
    if sum(rule.weight for rule in rules) > MAX_RULES_BYTES:
        raise InvalidValue(
            path,
            f"must use at most {MAX_RULES_BYTES // _MIB} MiB of memory in all;"
            " use fewer or shorter rules",
        )
