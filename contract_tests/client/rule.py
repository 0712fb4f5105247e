"""A rule of the audit: a requirement for clients, and its check against the journal."""

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import Trait
from contract_tests.contract.text import writable
from contract_tests.contract.verdicts import Verdict, worst

POLL_INSTEAD: Final = "Audit the client again with a command that polls, without {callback_port}."
_RUN_AS_COMMAND: Final = "Run the client as a command, with --exec."
_STORE_FILES: Final = "Let the client store its pictures in {out_dir}."
_FEWER_REQUESTS: Final = "Send fewer requests with one API key."
_SEE_TIMELINE: Final = (
    "See in the timeline of the report (--report DIR) where the client ended before."
)
_HINTS: Final[Mapping[Trait | None, str]] = {
    Trait.NO_DOWNLOAD: "Let the client download its results. If it does not, because it prints"
    " their addresses, declare that with --no-download.",
    Trait.NO_RETRY: "Let the client retry. If it reports errors instead, declare that with"
    " --no-retry.",
}


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

    `event` is the event's number in the journal. A minor violation is only a warning. A client for
    which `excused_by` is declared is not judged by an observation that does not hold.
    """

    holds: bool
    seen: str
    event: int | None = None
    is_minor: bool = False
    excused_by: Trait | None = None


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
    not_for: frozenset[Trait] = frozenset()
    """The rule does not apply to clients for which one of these is declared."""
    event_needs: Trait | None = None
    """The declaration of the clients that never cause the event."""
    is_conditional: bool = False
    """Whether correct clients need not cause the event; without it, the verdict is SKIP."""


class Requirement(Protocol):
    """What a report says about a rule, or about an invariant of exploring."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def clauses(self) -> tuple[str, ...]: ...
    @property
    def axis(self) -> Axis: ...
    @property
    def level(self) -> Level: ...
    @property
    def advice(self) -> str: ...


class RuleFinding(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of one rule on one client in one situation.

    `clause` is the first of `clauses`. `event` is a number in the journal. `advice` says what to
    change, and is empty unless the rule is violated. `hint` says how to test the rule if it was
    not tested.
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
    hint: str = ""


def judge_all(rules: Sequence[Rule], evidence: Evidence) -> tuple[RuleFinding, ...]:
    """Judge a client by these rules, in order."""
    return tuple(judge(rule, evidence) for rule in rules)


def judge(rule: Rule, evidence: Evidence) -> RuleFinding:
    """Judge a client by one rule; without an event of its kind the verdict is INCONCLUSIVE."""
    excuse = next(iter(rule.not_for & evidence.declared), None)
    if excuse is not None:
        return _declared(rule, excuse)
    if rule.needs_exit and evidence.client_exit is None:
        seen = "not tested: the client's exit is unknown"
        return finding_of(rule, Verdict.SKIP, seen, hint=_RUN_AS_COMMAND)
    if rule.needs_files and (evidence.client_exit is None or evidence.client_exit.files is None):
        seen = "not tested: the command has no {out_dir}"
        return finding_of(rule, Verdict.SKIP, seen, hint=_STORE_FILES)
    try:
        observations = list(rule.check(evidence))
    except Exception as error:  # noqa: BLE001  # An error in one rule must not stop the others.
        where = traceback.extract_tb(error.__traceback__)[-1]
        seen = f"error in the rule itself: {error!r} at {where.name}, line {where.lineno}"
        return finding_of(rule, Verdict.ERROR, seen)
    judged = [each for each in observations if not _is_excused(each, evidence)]
    if not judged:
        excuse = observations[0].excused_by if observations else rule.event_needs
        return _untested(rule, evidence, excuse)
    verdicts = [_verdict(rule, each) for each in judged]
    verdict = worst(verdicts)
    decisive = judged[verdicts.index(verdict)]
    if verdict is Verdict.PASS and evidence.dropped:
        seen = f"not decidable: the journal has dropped {evidence.dropped} entries"
        return finding_of(rule, Verdict.INCONCLUSIVE, seen, hint=_FEWER_REQUESTS)
    return finding_of(rule, verdict, decisive.seen, decisive.event)


def _is_excused(observation: Observation, evidence: Evidence) -> bool:
    return not observation.holds and observation.excused_by in evidence.declared


def _untested(rule: Rule, evidence: Evidence, excuse: Trait | None) -> RuleFinding:
    """Return the finding of a rule whose event did not occur, or only in an excused form."""
    if excuse in evidence.declared:
        return _declared(rule, excuse)
    if rule.is_about_polling and evidence.requests_callbacks:
        seen = "not tested: the client waits for callbacks"
        return finding_of(rule, Verdict.SKIP, seen, hint=POLL_INSTEAD)
    if rule.is_conditional:
        return finding_of(rule, Verdict.SKIP, f"not needed: the journal has no {rule.event}")
    hint = _HINTS.get(rule.event_needs, _SEE_TIMELINE)
    return finding_of(
        rule, Verdict.INCONCLUSIVE, f"not tested: the journal has no {rule.event}", hint=hint
    )


def _declared(rule: Rule, trait: Trait) -> RuleFinding:
    seen = f"not tested: {trait.meaning} ({trait})"
    return finding_of(rule, Verdict.SKIP, seen, hint=f"Omit {trait} if that is not so.")


def _verdict(rule: Rule, observation: Observation) -> Verdict:
    if observation.holds:
        return Verdict.PASS
    is_firm = rule.level is Level.MUST and not observation.is_minor
    return Verdict.FAIL if is_firm else Verdict.WARN


def finding_of(
    rule: Requirement, verdict: Verdict, seen: str, event: int | None = None, hint: str = ""
) -> RuleFinding:
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
        hint=hint,
    )
