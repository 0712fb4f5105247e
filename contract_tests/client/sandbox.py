"""Judges a sandbox as it is: nothing was staged, so what was not met says nothing."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.journal_reader import evidence_of
from contract_tests.client.reports.report import AuditReport, audit_report, audited
from contract_tests.client.rules import RULES
from contract_tests.contract.register import Register, load_register

CASE: Final = "sandbox"


def audit_of(
    journal: Mapping[str, Any],
    tasks: Sequence[Mapping[str, Any]],
    *,
    base_url: str,
    is_manual: bool,
    seed: int | None = None,
) -> AuditReport:
    """Judge what `GET /_mock/journal` and `GET /_mock/tasks` tell, by all rules."""
    evidence = evidence_of(journal, tasks, is_manual=is_manual)
    case = audited(CASE, "what was asked with this key", RULES, evidence, is_staged=False)
    return audit_report(
        [case],
        _register(),
        client=_client_of(evidence),
        base_url=base_url,
        profile=CASE,
        seed=seed,
        is_staged=False,
    )


def _client_of(evidence: Evidence) -> str:
    agents = (each.header("user-agent") for each in evidence.of("submit", "status", "balance"))
    return next(filter(None, agents), "a client without a User-Agent")


@cache
def _register() -> Register:
    return load_register()
