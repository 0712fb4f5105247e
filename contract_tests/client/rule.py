"""A rule of the audit: a requirement for clients, and its check against the journal."""

import traceback
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.contract.text import writable
from contract_tests.contract.verdicts import Verdict, worst


class Axis(StrEnum):
    """Whether a rule judges the result of the client or its behaviour toward the API."""

    OUTCOME = "outcome"
    MANNERS = "manners"


class Level(StrEnum):
    """How binding a rule is: only a `must` can fail.

    `should` is good practice. `choice` is advice that is on no page of the provider.
    """

    MUST = "must"
    SHOULD = "should"
    CHOICE = "choice"


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a rule's check for one event.

    `event` is the event's number in the journal. A minor violation is only a warning.
    """

    holds: bool
    seen: str
    event: int | None = None
    is_minor: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement for clients.

    `title` is the requirement; it begins with "Must", or with "Should" if it is not binding.
    `check` yields no observation if the journal has no event of the kind that `event` names.
    `advice` tells the author of a client that violates the rule what to change.
    """

    id: str
    title: str
    clauses: tuple[str, ...]
    axis: Axis
    level: Level
    event: str
    advice: str
    check: Callable[[Evidence], Iterable[Observation]]
    needs_exit: bool = False
    """Whether the rule can be judged only if the client's exit is known."""
    needs_files: bool = False
    """Whether the rule can be judged only if the client stores its files in a known directory."""
    is_about_polling: bool = False
    """Whether the rule does not apply to a client that waits for callbacks."""


class RuleFinding(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of one rule on one client in one situation.

    `clause` is the first of `clauses`. `event` is a number in the journal. `advice` says what to
    change, and is empty unless the rule is violated.
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


def judge_all(rules: Sequence[Rule], evidence: Evidence) -> tuple[RuleFinding, ...]:
    """Judge a client by these rules, in order."""
    return tuple(judge(rule, evidence) for rule in rules)


def judge(rule: Rule, evidence: Evidence) -> RuleFinding:
    """Judge a client by one rule; without an event of its kind the verdict is INCONCLUSIVE."""
    if rule.needs_exit and evidence.client_exit is None:
        return _finding(rule, Verdict.SKIP, "not tested: the client's exit is unknown")
    if rule.needs_files and (evidence.client_exit is None or evidence.client_exit.files is None):
        return _finding(rule, Verdict.SKIP, "not tested: the command has no {out_dir}")
    try:
        observations = list(rule.check(evidence))
    except Exception as error:  # noqa: BLE001  # An error in one rule must not stop the others.
        where = traceback.extract_tb(error.__traceback__)[-1]
        seen = f"error in the rule itself: {error!r} at {where.name}, line {where.lineno}"
        return _finding(rule, Verdict.ERROR, seen)
    if not observations and rule.is_about_polling and evidence.waits_for_callbacks:
        return _finding(rule, Verdict.SKIP, "not tested: the client waits for callbacks")
    if not observations:
        return _finding(rule, Verdict.INCONCLUSIVE, f"not tested: the journal has no {rule.event}")
    verdicts = [_verdict(rule, each) for each in observations]
    verdict = worst(verdicts)
    decisive = observations[verdicts.index(verdict)]
    if verdict is Verdict.PASS and evidence.dropped:
        seen = f"not decidable: the journal has dropped {evidence.dropped} entries"
        return _finding(rule, Verdict.INCONCLUSIVE, seen)
    return _finding(rule, verdict, decisive.seen, decisive.event)


def _verdict(rule: Rule, observation: Observation) -> Verdict:
    if observation.holds:
        return Verdict.PASS
    is_firm = rule.level is Level.MUST and not observation.is_minor
    return Verdict.FAIL if is_firm else Verdict.WARN


def _finding(rule: Rule, verdict: Verdict, seen: str, event: int | None = None) -> RuleFinding:
    return RuleFinding(
        rule=rule.id,
        title=rule.title,
        clause=rule.clauses[0],
        clauses=rule.clauses,
        axis=rule.axis,
        level=rule.level,
        verdict=verdict,
        expected=f"the client {rule.title[0].lower()}{rule.title[1:]}",
        seen=writable(seen),
        event=event,
        advice=rule.advice if verdict in {Verdict.FAIL, Verdict.WARN} else "",
    )
