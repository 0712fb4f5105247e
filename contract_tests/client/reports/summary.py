"""Sums up the cases of an audit: results by rule and by clause, counts and exit status."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from contract_tests.client.reports.report import (
    VERSION,
    AuditClause,
    AuditedCase,
    AuditReport,
    AuditSummary,
    RuleResult,
)
from contract_tests.client.reports.verdicts import VIOLATED, worst_verdict
from contract_tests.client.rule import Axis, Requirement
from contract_tests.client.rules import RULES
from contract_tests.contract.register import Register
from contract_tests.contract.run_facts import RunFacts
from contract_tests.contract.text import writable
from contract_tests.contract.verdicts import Verdict, worst


def summarize(
    cases: Sequence[AuditedCase],
    register: Register,
    *,
    client: str,
    base_url: str,
    suite: str,
    strict: bool = False,
    seed: int | None = None,
    untested: str = "not tested: no selected case judges it",
    is_staged: bool = True,
    run: RunFacts | None = None,
    selection: Sequence[str] = (),
    requirements: Sequence[Requirement] = RULES,
) -> AuditReport:
    """Return the report of an audit; `requirements` are those that it is about.

    `untested` is the reason given for rules that no case judged. The exit status is 1 for a
    violation (with `strict` also for a warning), and 3 if something could not be judged.
    """
    rules = tuple(_rule_result(each, cases, untested) for each in requirements)
    clauses = tuple(_clause_results(rules, register))
    return AuditReport(
        version=VERSION,
        run=run or RunFacts(),
        client=writable(client),
        base_url=base_url,
        profile=suite,
        selection=tuple(selection),
        strict=strict,
        seed=seed,
        cases=tuple(cases),
        rules=rules,
        clauses=clauses,
        summary=_summary(cases, rules, clauses, strict=strict, is_staged=is_staged),
    )


def _rule_result(rule: Requirement, cases: Sequence[AuditedCase], untested: str) -> RuleResult:
    judged = [
        (case, finding) for case in cases for finding in case.findings if finding.rule == rule.id
    ]
    verdict = worst(finding.verdict for _, finding in judged)
    reason = next((finding.seen for _, finding in judged if finding.verdict is verdict), untested)
    return RuleResult(
        id=rule.id,
        title=rule.title,
        clauses=rule.clauses,
        axis=rule.axis,
        level=rule.level,
        verdict=verdict,
        cases=tuple(case.id for case, _ in judged),
        reason=reason,
        advice=rule.advice if verdict in VIOLATED else "",
        hint=next((finding.hint for _, finding in judged if finding.verdict is verdict), ""),
    )


def _clause_results(rules: Sequence[RuleResult], register: Register) -> Iterator[AuditClause]:
    for clause in register:
        citing = [rule for rule in rules if clause.id in rule.clauses]
        if citing:
            yield AuditClause(
                id=clause.id,
                text=clause.text,
                certainty=clause.certainty,
                level=clause.level,
                sources=clause.sources,
                verdict=worst(rule.verdict for rule in citing),
                rules=tuple(rule.id for rule in citing),
            )


def _summary(
    cases: Sequence[AuditedCase],
    rules: Sequence[RuleResult],
    clauses: Sequence[AuditClause],
    *,
    strict: bool,
    is_staged: bool,
) -> AuditSummary:
    return AuditSummary(
        cases=_counts(case.verdict for case in cases),
        rules=_counts(rule.verdict for rule in rules),
        clauses=_counts(clause.verdict for clause in clauses),
        outcome=_axis_verdict(Axis.OUTCOME, rules, is_staged=is_staged),
        manners=_axis_verdict(Axis.MANNERS, rules, is_staged=is_staged),
        exit_status=_exit_status({case.verdict for case in cases}, strict=strict),
    )


def _counts(verdicts: Iterable[Verdict]) -> Mapping[str, int]:
    counts = Counter(verdicts)
    return {each: counts[each] for each in Verdict}


def _exit_status(verdicts: set[Verdict], *, strict: bool) -> int:
    if Verdict.FAIL in verdicts or (strict and Verdict.WARN in verdicts):
        return 1
    return 3 if verdicts & {Verdict.ERROR, Verdict.INCONCLUSIVE} else 0


def _axis_verdict(axis: Axis, rules: Sequence[RuleResult], *, is_staged: bool) -> Verdict:
    verdicts = [rule.verdict for rule in rules if rule.axis is axis]
    return worst_verdict(verdicts, is_staged=is_staged)
