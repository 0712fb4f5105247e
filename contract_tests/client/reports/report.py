"""The canonical report of an audit (`report.json`), from which all other formats are made."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from contract_tests.client.exploring.coverage import CoverageFacts
from contract_tests.client.exploring.reproduction import Reproduction
from contract_tests.client.reports.timeline import Mark, ShownExchange
from contract_tests.client.rule import Axis, Level, RuleFinding
from contract_tests.contract.run_facts import RunFacts
from contract_tests.contract.verdicts import Verdict

VERSION: Final = 1
KIND: Final = "audit"


class AuditedCase(msgspec.Struct, frozen=True, kw_only=True):
    """What a client did in one situation.

    `reason` explains the verdict if no finding does, and `hint` says how to test a case that was
    not tested. `output` is the end of the client's output. `reproduction` repeats a failure that
    exploring found.
    """

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
    hint: str = ""
    reproduction: Reproduction | None = None


class ExplorationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How much an exploration tried within its budget, in seconds.

    `repeats` counts scenarios that violated an invariant again, by its id.
    """

    scenarios: int
    budget_s: float
    repeats: Mapping[str, int]
    coverage: CoverageFacts


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of a rule over all cases that judge it.

    `hint` says how to test the rule if it was not tested.
    """

    id: str
    title: str
    clauses: tuple[str, ...]
    axis: Axis
    level: Level
    verdict: Verdict
    cases: tuple[str, ...] = ()
    reason: str = ""
    advice: str = ""
    hint: str = ""


class AuditClause(msgspec.Struct, frozen=True, kw_only=True):
    """A clause of the contract, with the worst verdict of the rules that cite it."""

    id: str
    text: str
    certainty: str
    level: str
    sources: tuple[str, ...]
    verdict: Verdict
    rules: tuple[str, ...] = ()


class AuditSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of verdicts; `outcome` and `manners` are the worst verdicts of the two axes."""

    cases: Mapping[str, int]
    rules: Mapping[str, int]
    clauses: Mapping[str, int] = {}
    outcome: Verdict
    manners: Verdict
    exit_status: int


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an audit of one client.

    `selection` are the switches that selected cases; then `rules` are those that were selected,
    otherwise all rules of the audit. `declared` are the switches that say what the client is for.
    """

    version: int
    run: RunFacts = RunFacts()
    kind: Literal["audit"] = "audit"
    client: str
    base_url: str
    profile: str
    selection: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    strict: bool
    seed: int | None
    cases: tuple[AuditedCase, ...]
    rules: tuple[RuleResult, ...]
    clauses: tuple[AuditClause, ...]
    exploration: ExplorationFacts | None = None
    summary: AuditSummary
