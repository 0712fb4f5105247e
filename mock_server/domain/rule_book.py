"""The rules of a sandbox, in order: the queue of the next, its own rules, its profile's.

The first that matches is applied. Only rules that are reached count what they let through.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from mock_server.domain.chance import draw, two_uniforms
from mock_server.domain.faults import Apply
from mock_server.domain.rules import Asked, Definition, Search, parse_rule

MAX_RULES = 1000
MAX_NEXT = 10_000
_MAX_SUBJECTS = 10_000  # of one rule, whose chance is told apart


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    rule: str  # which one
    apply: Apply
    latency_ms: int = 0

    @property
    def shows_anyway(self) -> bool:
        """Whether it is felt even where the answer is none that could be made wrong."""
        return self.apply.wire is not None or self.apply.latency is not None


class Rule(msgspec.Struct, kw_only=True):
    """A definition with what it has seen so far."""

    id: str
    definition: Definition
    seen: int = 0  # let through by all of `match` but `nth` and `times`
    applied: int = 0
    tries: dict[str, int] = msgspec.field(default_factory=dict)  # by operation and subject
    hits: dict[str, int] = msgspec.field(default_factory=dict)  # by subject

    identity: str = ""  # names the rule for its chance, wherever it stands in the list


class Queued(msgspec.Struct, kw_only=True):
    """The next `left` requests or attempts that this can be applied to get it."""

    id: str
    definition: Definition
    left: int


class KeptRule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    id: str
    written: dict[str, Any]
    seen: int = 0
    applied: int = 0
    left: int = 0  # of the queue
    tries: dict[str, int] = {}
    hits: dict[str, int] = {}


class BookState(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A rule book as data, to keep and to take up again."""

    made: int
    own: list[KeptRule]
    profile: list[KeptRule]
    queue: list[KeptRule]


class RuleBook:
    __slots__ = ("_made", "_sandbox_id", "_seed", "profile", "queue", "rules")

    def __init__(self, seed: int, sandbox_id: str) -> None:
        self._seed = seed
        self._sandbox_id = sandbox_id
        self._made = 0
        self.rules: list[Rule] = []
        self.profile: list[Rule] = []
        self.queue: deque[Queued] = deque()

    @property
    def is_empty(self) -> bool:
        return not (self.rules or self.profile or self.queue)

    def set(self, definitions: Sequence[Definition]) -> None:
        """Replace the own rules; one that comes back with its id unchanged counts on."""
        known = {rule.id: rule for rule in self.rules}
        rules = []
        for definition in definitions:
            same = known.pop(definition.id, None)
            is_same = same is not None and same.definition.written == definition.written
            rules.append(same if same is not None and is_same else self._rule(definition))
        self.rules = _identified(rules)

    def add(self, definition: Definition) -> None:
        self.rules = _identified([*self.rules, self._rule(definition)])

    def set_profile(self, name: str, definitions: Sequence[Definition]) -> None:
        self.profile = _identified(
            Rule(id=f"{name}-{number}", definition=definition)
            for number, definition in enumerate(definitions, start=1)
        )

    def put_next(self, definition: Definition, count: int) -> Queued:
        self._made += 1
        queued = Queued(id=f"next-{self._made}", definition=definition, left=count)
        self.queue.append(queued)
        return queued

    def state(self) -> BookState:
        return BookState(
            made=self._made,
            own=[_kept(rule) for rule in self.rules],
            profile=[_kept(rule) for rule in self.profile],
            queue=[
                KeptRule(id=each.id, written=each.definition.written, left=each.left)
                for each in self.queue
            ],
        )

    def take_up(self, state: BookState, fail_codes: Mapping[str, str]) -> None:
        """Go on from a state. Raises Wrong when a rule in it is none."""
        self.rules = _identified(_taken_up(kept, fail_codes) for kept in state.own)
        self.profile = _identified(_taken_up(kept, fail_codes) for kept in state.profile)
        self.queue = deque(
            Queued(
                id=kept.id, definition=parse_rule(kept.written, "rule", fail_codes), left=kept.left
            )
            for kept in state.queue
        )
        self._made = state.made

    def choose(self, asked: Asked) -> Applied | None:
        """Return what is injected here, and count it."""
        search = Search()
        for queued in self.queue:
            definition = queued.definition
            if definition.suits(asked) and definition.match.lets_through(asked, search):
                queued.left -= 1
                if not queued.left:
                    self.queue.remove(queued)
                return self._applied(queued.id, queued.definition, queued.left)
        for rule in self._in_order():
            if self._matches(rule, asked, search):
                rule.applied += 1
                return self._applied(rule.id, rule.definition, rule.applied)
        return None

    def _in_order(self) -> Iterator[Rule]:
        yield from self.rules
        yield from self.profile

    def _matches(self, rule: Rule, asked: Asked, search: Search) -> bool:
        match = rule.definition.match
        if not rule.definition.suits(asked) or not match.lets_through(asked, search):
            return False
        if match.probability is not None and not self._is_lucky(rule, match.probability, asked):
            return False
        rule.seen += 1
        if match.nth is not None and not match.nth.holds(rule.seen):
            return False
        if match.times is not None and rule.applied >= match.times:
            return False
        return match.times_each is None or _counted(rule.hits, asked.subject) <= match.times_each

    def _is_lucky(self, rule: Rule, probability: float, asked: Asked) -> bool:
        """Draw by what is asked about and how often it was, so that no order matters."""
        subject = f"{asked.operation}:{asked.subject}"
        tries = _counted(rule.tries, subject)
        purpose = f"rule {rule.identity} {subject}"
        drawn, _ = two_uniforms(draw(self._seed, self._sandbox_id, tries, purpose))
        return drawn < probability

    def _applied(self, rule_id: str, definition: Definition, count: int) -> Applied:
        latency = definition.apply.latency
        drawn_ms = 0
        if latency is not None:
            purpose = f"latency {rule_id}"
            drawn_ms = latency.drawn_ms(draw(self._seed, self._sandbox_id, count, purpose))
        return Applied(rule=rule_id, apply=definition.apply, latency_ms=drawn_ms)

    def _rule(self, definition: Definition) -> Rule:
        self._made += 1
        return Rule(id=f"rule-{self._made}", definition=definition)


def _identified(rules: Iterable[Rule]) -> list[Rule]:
    """Name each rule by its text, and by how many of the same text stand before it."""
    found = list(rules)
    seen: Counter[str] = Counter()
    for rule in found:
        written = msgspec.json.encode(rule.definition.written, order="sorted")
        digest = blake2b(written, digest_size=8).hexdigest()
        rule.identity = f"{digest}-{seen[digest]}"
        seen[digest] += 1
    return found


def _kept(rule: Rule) -> KeptRule:
    return KeptRule(
        id=rule.id,
        written=rule.definition.written,
        seen=rule.seen,
        applied=rule.applied,
        tries=dict(rule.tries),
        hits=dict(rule.hits),
    )


def _taken_up(kept: KeptRule, fail_codes: Mapping[str, str]) -> Rule:
    return Rule(
        id=kept.id,
        definition=parse_rule(kept.written, "rule", fail_codes),
        seen=kept.seen,
        applied=kept.applied,
        tries=kept.tries,
        hits=kept.hits,
    )


def _counted(counts: dict[str, int], subject: str) -> int:
    """Count a subject once more; of too many, the one that was not counted for longest goes."""
    count = counts.pop(subject, 0) + 1
    counts[subject] = count
    if len(counts) > _MAX_SUBJECTS:
        del counts[next(iter(counts))]
    return count
