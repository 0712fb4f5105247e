"""A rule: one thing that a good client does, and how to see it in the journal."""

import traceback
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.contract.text import writable
from contract_tests.contract.verdicts import Verdict, worst


class Axis(StrEnum):
    OUTCOME = "outcome"  # did it get the job done
    MANNERS = "manners"  # how


class Level(StrEnum):
    """What breaking a rule means: only what the contract says firmly fails."""

    MUST = "must"
    SHOULD = "should"
    CHOICE = "choice"  # no page says so: advice


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one event. `event` is its number in the journal; a minor breach only warns."""

    holds: bool
    seen: str
    event: int | None = None
    is_minor: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`look` yields nothing where the journal does not hold the event that it is about.

    `event` names that event, `advice` says what to change in a client that breaks the rule.
    """

    id: str
    title: str
    clauses: tuple[str, ...]
    axis: Axis
    level: Level
    event: str
    advice: str
    look: Callable[[Evidence], Iterable[Look]]
    needs_end: bool = False
    """It cannot be judged unless it is known how the client ended."""
    is_of_polling: bool = False
    """A client that waits for callbacks instead need not meet it."""


class RuleFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of one client in one situation.

    `clause` is the first of `clauses`; `event` a number in the journal; `advice` what to change.
    """

    rule: str
    title: str
    clause: str
    clauses: tuple[str, ...]
    axis: Axis
    level: Level
    verdict: Verdict
    expected: str
    seen: str
    event: int | None = None
    advice: str = ""


def judge(rule: Rule, evidence: Evidence) -> RuleFinding:
    """Judge a client by one rule. A journal without the event proves nothing."""
    if rule.needs_end and evidence.ended is None:
        return _finding(rule, Verdict.SKIP, "how the client ended is not known here")
    try:
        looks = list(rule.look(evidence))
    except Exception as error:  # noqa: BLE001  # one rule must not take the others with it
        where = traceback.extract_tb(error.__traceback__)[-1]
        seen = f"the rule broke off: {error!r} at {where.name}, line {where.lineno}"
        return _finding(rule, Verdict.ERROR, seen)
    if not looks and rule.is_of_polling and evidence.waits_for_callbacks:
        return _finding(rule, Verdict.SKIP, "it waited for a callback, and did not ask")
    if not looks:
        return _finding(rule, Verdict.INCONCLUSIVE, f"the client never met it: {rule.event}")
    verdicts = [_verdict(rule, look) for look in looks]
    verdict = worst(verdicts)
    telling = looks[verdicts.index(verdict)]
    if verdict is Verdict.PASS and evidence.dropped:
        seen = f"the journal has dropped {evidence.dropped} entries, so it cannot tell"
        return _finding(rule, Verdict.INCONCLUSIVE, seen)
    return _finding(rule, verdict, telling.seen, telling.event)


def _verdict(rule: Rule, look: Look) -> Verdict:
    if look.holds:
        return Verdict.PASS
    return Verdict.FAIL if rule.level is Level.MUST and not look.is_minor else Verdict.WARN


def _finding(rule: Rule, verdict: Verdict, seen: str, event: int | None = None) -> RuleFinding:
    return RuleFinding(
        rule=rule.id,
        title=rule.title,
        clause=rule.clauses[0],
        clauses=rule.clauses,
        axis=rule.axis,
        level=rule.level,
        verdict=verdict,
        expected=rule.title,
        seen=writable(seen),
        event=event,
        advice=rule.advice if verdict in {Verdict.FAIL, Verdict.WARN} else "",
    )


def judge_all(rules: Sequence[Rule], evidence: Evidence) -> tuple[RuleFinding, ...]:
    return tuple(judge(rule, evidence) for rule in rules)
