"""Turns the evidence of one case into its part of the report."""

from collections.abc import Sequence
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.reports.timeline import marks_of, shown_exchanges
from contract_tests.client.reports.verdicts import VIOLATED, worst_verdict
from contract_tests.client.rule import POLL_INSTEAD, Rule, judge_all
from contract_tests.client.rules import BY_ID
from contract_tests.client.situation import Situation
from contract_tests.contract.text import writable
from contract_tests.contract.verdicts import Verdict

_SEND_REQUESTS: Final = "Check that the client uses the address and the API key of the case."
_MAX_OUTPUT: Final = 4_000  # characters
_MAX_LAST_LINE: Final = 300  # characters


def judge_situation(situation: Situation, evidence: Evidence, only: frozenset[str]) -> AuditedCase:
    """Judge a client by those rules of a situation that are in `only`."""
    if situation.needs_polling and evidence.waits_for_callbacks:
        reason = "not tested: the client waits for callbacks"
        return unjudged_case(situation, Verdict.SKIP, reason, POLL_INSTEAD)
    rules = [BY_ID[each] for each in situation.judged if each in only]
    return judge_case(situation.id, situation.title, rules, evidence)


def judge_case(
    case_id: str,
    title: str,
    rules: Sequence[Rule],
    evidence: Evidence,
    *,
    is_staged: bool = True,
) -> AuditedCase:
    """Judge a client by these rules.

    If nothing was staged, rules whose event did not occur do not affect the verdict.
    """
    findings = judge_all(rules, evidence)
    events = [
        each.event for each in findings if each.event is not None and each.verdict in VIOLATED
    ]
    client_exit = evidence.client_exit
    verdict = worst_verdict([each.verdict for each in findings], is_staged=is_staged)
    reason = _reason(evidence)
    if verdict is Verdict.SKIP and findings and not reason:
        reason = findings[0].seen
    return AuditedCase(
        id=case_id,
        title=title,
        clauses=_clauses_of(rules),
        verdict=verdict,
        reason=reason,
        hint="" if evidence.exchanges else _SEND_REQUESTS,
        findings=findings,
        timeline=marks_of(evidence, events),
        exchanges=shown_exchanges(evidence, events),
        exit_status=None if client_exit is None else client_exit.exit_status,
        timed_out=client_exit is not None and client_exit.timed_out,
        output="" if client_exit is None else writable(client_exit.output[-_MAX_OUTPUT:]),
        duration_s=0.0 if client_exit is None else round(client_exit.after_s, 3),
    )


def unjudged_case(
    situation: Situation, verdict: Verdict, reason: str, hint: str = ""
) -> AuditedCase:
    """Report a case that was skipped, or that failed for a reason outside the client."""
    return AuditedCase(
        id=situation.id,
        title=situation.title,
        clauses=_clauses_of([BY_ID[each] for each in situation.judged]),
        verdict=verdict,
        reason=reason,
        hint=hint,
    )


def _reason(evidence: Evidence) -> str:
    """Return a reason that is not in a finding, such as a client that sent no request."""
    client_exit = evidence.client_exit
    sentences = []
    if not evidence.exchanges:
        sentences.append("the client sent no request with this key")
    if client_exit is not None and client_exit.timed_out:
        sentences.append(f"the client was stopped after {client_exit.after_s:.0f} s")
    elif client_exit is not None and not evidence.exchanges:
        sentences.append(f"the client exited with status {client_exit.exit_status}")
    if client_exit is not None and not evidence.exchanges and client_exit.output.strip():
        sentences.append(client_exit.output.strip().splitlines()[-1][:_MAX_LAST_LINE])
    return writable("; ".join(sentences))


def _clauses_of(rules: Sequence[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clause for rule in rules for clause in rule.clauses))
