"""The canonical report of an audit: what every other form of it is made from."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.client.reports.timeline import Mark, ShownExchange, marks_of, shown_of
from contract_tests.client.rule import Axis, Level, Rule, RuleFinding, judge_all
from contract_tests.client.rules import BY_ID, RULES
from contract_tests.client.situation import Situation
from contract_tests.contract.register import Register
from contract_tests.contract.text import writable
from contract_tests.contract.verdicts import Verdict, worst

VERSION: Final = 1
KIND: Final = "audit"
_OUTPUT_SHOWN: Final = 4_000  # characters
_CONCLUSIVE: Final = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.PASS})
_BAD: Final = frozenset({Verdict.FAIL, Verdict.WARN})


class AuditedCase(msgspec.Struct, frozen=True, kw_only=True):
    """What a client did in one situation. `reason` says why, where that is not in the findings."""

    id: str
    title: str
    clauses: tuple[str, ...]
    verdict: Verdict
    reason: str = ""
    findings: tuple[RuleFinding, ...] = ()
    timeline: tuple[Mark, ...] = ()
    exchanges: tuple[ShownExchange, ...] = ()
    exit_status: int | None = None
    timed_out: bool = False
    output: str = ""
    duration_s: float = 0.0


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """What all cases together say of a rule."""

    id: str
    title: str
    clauses: tuple[str, ...]
    axis: Axis
    level: Level
    verdict: Verdict
    cases: tuple[str, ...] = ()
    reason: str = ""
    advice: str = ""


class AuditClause(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    text: str
    certainty: str
    level: str
    sources: tuple[str, ...]
    verdict: Verdict
    rules: tuple[str, ...] = ()


class AuditSummary(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome` and `manners` are the worst verdicts of the two axes."""

    cases: Mapping[str, int]
    rules: Mapping[str, int]
    outcome: Verdict
    manners: Verdict
    exit_status: int


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    kind: Literal["audit"] = "audit"
    client: str
    base_url: str
    profile: str
    strict: bool
    seed: int | None
    cases: tuple[AuditedCase, ...]
    rules: tuple[RuleResult, ...]
    clauses: tuple[AuditClause, ...]
    summary: AuditSummary


def judged_case(situation: Situation, evidence: Evidence, only: frozenset[str]) -> AuditedCase:
    """Judge what a client did in a situation by the rules that it is for, or by some of them."""
    if situation.needs_polling and evidence.waits_for_callbacks:
        reason = "the client waited for a callback, and did not ask"
        return left_out(situation, Verdict.SKIP, reason)
    rules = [BY_ID[each] for each in situation.judged if each in only]
    return audited(situation.id, situation.title, rules, evidence)


def audited(
    case_id: str,
    title: str,
    rules: Sequence[Rule],
    evidence: Evidence,
    *,
    is_staged: bool = True,
) -> AuditedCase:
    """Judge by these rules. Where nothing was staged, what was not met says nothing."""
    findings = judge_all(rules, evidence)
    verdict = _worst([finding.verdict for finding in findings], is_staged=is_staged)
    ended = evidence.ended
    events = [each.event for each in findings if each.event is not None and each.verdict in _BAD]
    return AuditedCase(
        id=case_id,
        title=title,
        clauses=_clauses_of(rules),
        verdict=verdict,
        reason=_reason(evidence),
        findings=findings,
        timeline=marks_of(evidence, events),
        exchanges=shown_of(evidence, events),
        exit_status=None if ended is None else ended.exit_status,
        timed_out=ended is not None and ended.timed_out,
        output="" if ended is None else writable(ended.output[-_OUTPUT_SHOWN:]),
        duration_s=0.0 if ended is None else round(ended.after_s, 3),
    )


def left_out(situation: Situation, verdict: Verdict, reason: str) -> AuditedCase:
    """Report a case that was not tried, or whose trial came to nothing."""
    return AuditedCase(
        id=situation.id,
        title=situation.title,
        clauses=_clauses_of([BY_ID[each] for each in situation.judged]),
        verdict=verdict,
        reason=reason,
    )


def audit_report(
    cases: Sequence[AuditedCase],
    register: Register,
    *,
    client: str,
    base_url: str,
    profile: str,
    strict: bool = False,
    seed: int | None = None,
    unstaged: str = "no situation that was tried is for it",
    is_staged: bool = True,
) -> AuditReport:
    """Sum up. Exit status: 1 for a failure (strict: a warning), 3 where nothing could be judged."""
    rules = tuple(_rule_result(rule, cases, unstaged) for rule in RULES)
    clauses = tuple(_clause_results(rules, register))
    return AuditReport(
        version=VERSION,
        client=writable(client),
        base_url=base_url,
        profile=profile,
        strict=strict,
        seed=seed,
        cases=tuple(cases),
        rules=rules,
        clauses=clauses,
        summary=_summary(cases, rules, strict=strict, is_staged=is_staged),
    )


def _reason(evidence: Evidence) -> str:
    ended = evidence.ended
    words = []
    if not evidence.exchanges:
        words.append("the client sent no request with this key")
    if ended is not None and ended.timed_out:
        words.append(f"it was stopped after {ended.after_s:.0f} s")
    elif ended is not None and not evidence.exchanges:
        words.append(f"it ended with status {ended.exit_status}")
    if ended is not None and not evidence.exchanges and ended.output.strip():
        words.append(ended.output.strip().splitlines()[-1][:300])
    return writable("; ".join(words))


def _clauses_of(rules: Sequence[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clause for rule in rules for clause in rule.clauses))


def _rule_result(rule: Rule, cases: Sequence[AuditedCase], unstaged: str) -> RuleResult:
    about = [
        (case, finding) for case in cases for finding in case.findings if finding.rule == rule.id
    ]
    verdict = worst(finding.verdict for _, finding in about)
    reason = unstaged
    if about:
        reason = next(f.seen for _, f in about if f.verdict is verdict)
    return RuleResult(
        id=rule.id,
        title=rule.title,
        clauses=rule.clauses,
        axis=rule.axis,
        level=rule.level,
        verdict=verdict,
        cases=tuple(case.id for case, _ in about),
        reason=reason,
        advice=rule.advice if verdict in _BAD else "",
    )


def _clause_results(rules: Sequence[RuleResult], register: Register) -> list[AuditClause]:
    results = []
    for clause in register:
        about = [rule for rule in rules if clause.id in rule.clauses]
        if about:
            results.append(
                AuditClause(
                    id=clause.id,
                    text=clause.text,
                    certainty=clause.certainty,
                    level=clause.level,
                    sources=clause.sources,
                    verdict=worst(rule.verdict for rule in about),
                    rules=tuple(rule.id for rule in about),
                )
            )
    return results


def _summary(
    cases: Sequence[AuditedCase], rules: Sequence[RuleResult], *, strict: bool, is_staged: bool
) -> AuditSummary:
    verdicts = {case.verdict for case in cases}
    status = 0
    if Verdict.FAIL in verdicts or (strict and Verdict.WARN in verdicts):
        status = 1
    elif {Verdict.ERROR, Verdict.INCONCLUSIVE} & verdicts:
        status = 3
    return AuditSummary(
        cases={each: sum(case.verdict is each for case in cases) for each in Verdict},
        rules={each: sum(rule.verdict is each for rule in rules) for each in Verdict},
        outcome=_on_axis(Axis.OUTCOME, rules, is_staged=is_staged),
        manners=_on_axis(Axis.MANNERS, rules, is_staged=is_staged),
        exit_status=status,
    )


def _on_axis(axis: Axis, rules: Sequence[RuleResult], *, is_staged: bool) -> Verdict:
    return _worst([rule.verdict for rule in rules if rule.axis is axis], is_staged=is_staged)


def _worst(verdicts: Sequence[Verdict], *, is_staged: bool) -> Verdict:
    """Where nothing was staged, what a client did not meet counts for nothing."""
    conclusive = [each for each in verdicts if each in _CONCLUSIVE]
    return worst(verdicts if is_staged or not conclusive else conclusive)
