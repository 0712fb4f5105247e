"""The rules of a sandbox, in order: the queue of `next`, its own rules, those of its profile.

The first rule that matches is applied, and only rules up to that one count their matches.
A rule book is deterministic: equal books with equal inputs return equal matches.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from mock_server.domain.chance import draw
from mock_server.domain.counted_rule import MAX_SUBJECTS, Draw, Rule, RuleSnapshot, identified
from mock_server.domain.faults.effect import Effect
from mock_server.domain.headers import Header
from mock_server.domain.operation import Operation
from mock_server.domain.rule_filter import RuleFilter
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.snapshot_bounds import Count

MAX_RULES = 1000
MAX_NEXT = 10_000
_MAX_COUNTERS = 100_000  # For all rules together: each of many rules counts fewer subjects.


class RuleMatch(msgspec.Struct, frozen=True, kw_only=True):
    """The rule that matches a request or callback, and its effect."""

    rule: str  # The id of the rule.
    effect: Effect
    latency_ms: int = 0


class RuleState(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a sandbox, with the number of times it was applied."""

    id: str
    definition: RuleDefinition
    applied: int

    @classmethod
    def of(cls, rule: Rule) -> Self:
        return cls(id=rule.id, definition=rule.definition, applied=rule.applied)


class QueuedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A definition that applies to the next `left` requests or callbacks that match it."""

    id: str
    definition: RuleDefinition
    left: int


class RuleBookSnapshot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    made: Count
    own: Annotated[list[RuleSnapshot], Meta(max_length=MAX_RULES)]
    profile: Annotated[list[RuleSnapshot], Meta(max_length=MAX_RULES)]
    queue: Annotated[list[RuleSnapshot], Meta(max_length=MAX_NEXT)]


class RuleBook:
    __slots__ = (
        "_by_operation", "_draw", "_filter", "_has_patterns", "_headers", "_made", "_max_subjects",
        "profile", "queue", "rules",
    )  # fmt: skip

    def __init__(self, seed: int, sandbox_id: str) -> None:
        self._draw: Draw = partial(draw, seed, sandbox_id)
        self._made = 0
        self._has_patterns = False  # Whether any rule has a pattern, without the queue.
        self._by_operation: dict[Operation, list[Rule]] = {each: [] for each in Operation}
        # Those that rules without the queue ask for.
        self._headers: frozenset[Header] = frozenset()
        self._filter = RuleFilter(())  # Of all rules, without the queue.
        self._max_subjects = MAX_SUBJECTS  # Per rule.
        self.rules: list[Rule] = []
        self.profile: list[Rule] = []
        self.queue: deque[QueuedRule] = deque()

    @classmethod
    def of_rules(
        cls, seed: int, sandbox_id: str, own: list[Rule], profile: list[Rule], made: int
    ) -> Self:
        """Return a book with these rules, which keep their identities and counters."""
        book = cls(seed, sandbox_id)
        book._made = made
        book._set_rules(own, profile)
        return book

    @property
    def made(self) -> int:
        """The number of rules that got an id from this book."""
        return self._made

    def replace(self, definitions: Sequence[RuleDefinition]) -> None:
        """Replace the sandbox's own rules. A rule with the same id and text keeps its counters."""
        known = {rule.id: rule for rule in self.rules}
        rules = []
        for definition in definitions:
            same = known.pop(definition.id, None)
            is_same = same is not None and same.definition.written == definition.written
            rules.append(same if same is not None and is_same else self._new_rule(definition))
        self._set_rules(identified(rules), self.profile)

    def add(self, definition: RuleDefinition) -> None:
        self._set_rules(identified([*self.rules, self._new_rule(definition)]), self.profile)

    def replace_profile(self, name: str, definitions: Sequence[RuleDefinition]) -> None:
        rules = identified(
            Rule(id=f"{name}-{number}", definition=definition)
            for number, definition in enumerate(definitions, start=1)
        )
        self._set_rules(self.rules, rules)

    def put_next(self, definition: RuleDefinition, count: int) -> QueuedRule:
        self._made += 1
        queued = QueuedRule(id=f"next-{self._made}", definition=definition, left=count)
        self.queue.append(queued)
        return queued

    def cancel_next(self, rule_id: str | None) -> bool:
        """Remove a queued rule, or all of them; return False if this one is not in the queue."""
        kept = [each for each in self.queue if rule_id is not None and each.id != rule_id]
        is_found = rule_id is None or len(kept) < len(self.queue)
        self.queue = deque(kept)
        return is_found

    def snapshot(self) -> RuleBookSnapshot:
        return RuleBookSnapshot(
            made=self._made,
            own=[rule.snapshot() for rule in self.rules],
            profile=[rule.snapshot() for rule in self.profile],
            queue=[
                RuleSnapshot(id=each.id, written=each.definition.written, left=each.left)
                for each in self.queue
            ],
        )

    def restoring_steps(
        self, snapshot: RuleBookSnapshot, fail_codes: Mapping[str, str]
    ) -> Iterator[None]:
        """Continue from a snapshot, which was checked; yield about every millisecond.

        Raise RuleError if a rule is invalid.
        """
        own: list[Rule] = []
        profile: list[Rule] = []
        for rules, kept in ((own, snapshot.own), (profile, snapshot.profile)):
            for each in kept:
                rules.append(Rule.of_snapshot(each, fail_codes))
                yield
            identified(rules)
            yield
        self._set_rules(own, profile)
        yield
        for each in snapshot.queue:
            definition = parse_rule(each.written, "rule", fail_codes, is_checked=True)
            self.queue.append(QueuedRule(id=each.id, definition=definition, left=each.left))
            yield
        self._made = snapshot.made

    def header_conditions(self) -> AbstractSet[Header]:
        """Return all headers that a rule asks for."""
        queued = (header for each in self.queue for header in each.definition.conditions.headers)
        return self._headers.union(queued)

    def may_match(self, rule_input: RuleInput) -> bool:
        """Return False only if `match` would return None and count nothing."""
        return self._filter.may_match(rule_input) or any(
            queued.definition.fits_before_search(rule_input) for queued in self.queue
        )

    def patterns_for(self, rule_input: RuleInput) -> list[str]:
        """Return the regular expressions to search the prompt for, in the order of the rules.

        These are the patterns of the rules that can match this input, up to the first rule that
        matches with certainty.
        """
        if rule_input.prompt is None or not (self._has_patterns or self.queue):
            return []
        patterns: dict[str, None] = {}
        for definition in self._definitions(rule_input.operation):
            pattern = definition.conditions.prompt_regex
            if pattern is not None:
                if pattern not in patterns and definition.fits_before_search(rule_input):
                    patterns[pattern] = None
            elif definition.conditions.is_certain and definition.fits_before_search(rule_input):
                break
        return list(patterns)

    def match(self, rule_input: RuleInput) -> RuleMatch | None:
        """Return the first rule that matches, and count the match."""
        for place, queued in enumerate(self.queue):
            if queued.definition.fits(rule_input):
                left = queued.left - 1
                if left:
                    self.queue[place] = msgspec.structs.replace(queued, left=left)
                else:
                    del self.queue[place]
                return self._matched(queued.id, queued.definition, left)
        for rule in self._by_operation[rule_input.operation]:
            if rule.matches(rule_input, self._draw, self._max_subjects):
                rule.applied += 1
                return self._matched(rule.id, rule.definition, rule.applied)
        return None

    def _set_rules(self, own: list[Rule], profile: list[Rule]) -> None:
        self.rules, self.profile = own, profile
        in_order = [*own, *profile]
        self._has_patterns = any(
            rule.definition.conditions.prompt_regex is not None for rule in in_order
        )
        self._by_operation = {
            operation: [
                rule for rule in in_order if operation in rule.definition.conditions.operations
            ]
            for operation in Operation
        }
        self._headers = frozenset(
            header for rule in in_order for header in rule.definition.conditions.headers
        )
        self._filter = RuleFilter(rule.definition for rule in in_order)
        counting = sum(rule.has_subjects for rule in in_order)
        self._max_subjects = min(MAX_SUBJECTS, _MAX_COUNTERS // max(counting, 1))

    def _definitions(self, operation: Operation) -> Iterator[RuleDefinition]:
        for queued in self.queue:
            yield queued.definition
        for rule in self._by_operation[operation]:
            yield rule.definition

    def _matched(self, rule_id: str, definition: RuleDefinition, count: int) -> RuleMatch:
        latency = definition.effect.latency
        latency_ms = 0
        if latency is not None:
            purpose = f"latency {rule_id}"
            latency_ms = latency.drawn_ms(self._draw(count, purpose))
        return RuleMatch(rule=rule_id, effect=definition.effect, latency_ms=latency_ms)

    def _new_rule(self, definition: RuleDefinition) -> Rule:
        self._made += 1
        return Rule(id=f"rule-{self._made}", definition=definition)
