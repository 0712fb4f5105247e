"""A rule of a sandbox with its counters: how often it could be applied, and to what."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from mock_server.domain.chance import two_uniforms
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition, RuleInput
from mock_server.domain.snapshot_bounds import Count, RuleId, Text

MAX_SUBJECTS = 10_000  # The number of subjects for which one rule keeps separate counters.
_MAX_SUBJECT_LENGTH = 100  # Instead of a longer subject, such as a prompt, its hash is kept.

Draw = Callable[[int, str], bytes]  # It gets an ordinal and a purpose.
_Counts = Annotated[dict[Text, Count], Meta(max_length=MAX_SUBJECTS)]


class RuleSnapshot(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    id: RuleId
    written: dict[str, Any]
    seen: Count = 0
    applied: Count = 0
    left: Count = 0  # Only queued rules have it.
    tries: _Counts = {}
    hits: _Counts = {}


class Rule(msgspec.Struct, kw_only=True):
    """A definition with its counters."""

    id: str
    definition: RuleDefinition
    seen: int = 0  # Requests that meet all conditions except `nth` and `times`.
    applied: int = 0
    tries: dict[str, int] = msgspec.field(default_factory=dict)  # By operation and subject.
    hits: dict[str, int] = msgspec.field(default_factory=dict)  # By subject.

    identity: str = ""  # Part of the rule's random draws, if any; independent of its position.

    @classmethod
    def of_snapshot(cls, snapshot: RuleSnapshot, fail_codes: Mapping[str, str]) -> Self:
        """Return the rule of a snapshot, which was checked. Raise RuleError if it is invalid."""
        return cls(
            id=snapshot.id,
            definition=parse_rule(snapshot.written, "rule", fail_codes, is_checked=True),
            seen=snapshot.seen,
            applied=snapshot.applied,
            tries=dict(snapshot.tries),
            hits=dict(snapshot.hits),
        )

    def snapshot(self) -> RuleSnapshot:
        return RuleSnapshot(
            id=self.id,
            written=self.definition.written,
            seen=self.seen,
            applied=self.applied,
            tries=dict(self.tries),
            hits=dict(self.hits),
        )

    @property
    def has_subjects(self) -> bool:
        """Whether the rule keeps separate counters of subjects."""
        conditions = self.definition.conditions
        return conditions.times_each is not None or conditions.probability is not None

    def matches(self, rule_input: RuleInput, draw: Draw, max_subjects: int) -> bool:
        """Tell whether the rule is to be applied, and count what its conditions count.

        The rule keeps the counters of `max_subjects` subjects, those that it has seen last.
        """
        if not self.definition.fits(rule_input):
            return False
        conditions = self.definition.conditions
        probability = conditions.probability
        if probability is not None:
            drawn = self._drawn(rule_input, draw, max_subjects)
            if drawn >= probability:
                return False
        self.seen += 1
        if conditions.nth is not None and not conditions.nth.includes(self.seen):
            return False
        if conditions.times is not None and self.applied >= conditions.times:
            return False
        each = conditions.times_each
        return each is None or _counted(self.hits, rule_input.subject, max_subjects) <= each

    def _drawn(self, rule_input: RuleInput, draw: Draw, max_subjects: int) -> float:
        """Return a number between 0 and 1 that is independent of the order of subjects.

        It depends on the subject and on how often the rule has seen it.
        """
        subject = f"{rule_input.operation}:{rule_input.subject}"
        tries = _counted(self.tries, subject, max_subjects)
        drawn, _ = two_uniforms(draw(tries, f"rule {self.identity} {subject}"))
        return drawn


def identified(rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules; those with a probability get an identity.

    It is made of the text of the rule and the number of equal rules before it.
    """
    found = list(rules)
    seen: Counter[str] = Counter()
    for rule in found:
        if rule.definition.conditions.probability is None:
            continue  # Nothing is drawn for it.
        written = msgspec.json.encode(rule.definition.written, order="sorted")
        digest = blake2b(written, digest_size=8).hexdigest()
        rule.identity = f"{digest}-{seen[digest]}"
        seen[digest] += 1
    return found


def _counted(counts: dict[str, int], subject: str, max_subjects: int) -> int:
    """Increase and return the count of a subject; above the limit, drop the oldest subject."""
    if len(subject) > _MAX_SUBJECT_LENGTH:
        subject = blake2b(subject.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    count = counts.pop(subject, 0) + 1
    counts[subject] = count
    if len(counts) > max_subjects:
        del counts[next(iter(counts))]
    return count
