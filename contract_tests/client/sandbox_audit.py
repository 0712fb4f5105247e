"""Audits a sandbox without staged situations: situations that did not occur do not count."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final

from contract_tests.client.evidence import Evidence, never_cancelled
from contract_tests.client.journal_reader import read_evidence
from contract_tests.client.records import API_OPERATIONS
from contract_tests.client.reports.cases import judge_case
from contract_tests.client.reports.report import AuditReport
from contract_tests.client.reports.summary import summarize
from contract_tests.client.rules import RULES
from contract_tests.contract.register import Register, load_register
from contract_tests.contract.run_facts import Stopwatch

CASE: Final = "sandbox"


def audit_sandbox(
    journal: Mapping[str, Any],
    tasks: Iterable[Mapping[str, Any]],
    *,
    base_url: str,
    is_manual: bool,
    seed: int | None = None,
    check_cancelled: Callable[[], None] = never_cancelled,
) -> AuditReport:
    """Judge the answers of `GET /_mock/journal` and `GET /_mock/tasks` by all rules.

    `check_cancelled` is called often. It raises an exception if nobody wants the report any longer.
    """
    evidence = read_evidence(journal, tasks, is_manual=is_manual, check_cancelled=check_cancelled)
    case = judge_case(CASE, "All requests made with this key", RULES, evidence, is_staged=False)
    client = _client_name(evidence)
    records: list[object] = [*evidence.exchanges, *evidence.tasks]
    del evidence
    while records:  # Freeing them all at once would stop other threads.
        records.pop()
    return summarize(
        [case],
        _register(),
        client=client,
        base_url=base_url,
        suite=CASE,
        seed=seed,
        is_staged=False,
        run=Stopwatch().facts(),
    )


def _client_name(evidence: Evidence) -> str:
    agents = (each.header("user-agent") for each in evidence.of(*API_OPERATIONS))
    return next(filter(None, agents), "a client without a User-Agent header")


@cache
def _register() -> Register:
    return load_register()
