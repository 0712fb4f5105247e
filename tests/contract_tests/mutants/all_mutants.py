"""Every mutant, and what catches it."""

from importlib import import_module

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Case
from contract_tests.server.catalogue import all_cases, select_cases
from contract_tests.server.options import Options
from contract_tests.server.session import open_session
from tests.contract_tests.mutants.harness import Mutant, serving

SEED = 1
GROUPS = (
    "auth", "envelope", "submit", "submit_fields", "status", "failure", "limits", "timing",
    "callbacks", "results", "billing", "lifecycle",
)  # fmt: skip


def all_mutants() -> tuple[Mutant, ...]:
    return tuple(mutant for name in GROUPS for mutant in _mutants_of(name))


def cases_of(mutant: Mutant) -> tuple[Case, ...]:
    return select_cases(all_cases(), clauses=(mutant.clause,))


def killers(mutant: Mutant, cases: tuple[Case, ...]) -> tuple[str, ...]:
    """Return the ids of those of the cases that find the mutant's clause broken."""
    with serving(mutant) as url, open_session(Options(base_url=url, seed=SEED)) as ready:
        return tuple(
            ran.result.id
            for ran in ready.run(cases)
            if any(
                finding.clause == mutant.clause and finding.verdict is Verdict.FAIL
                for finding in ran.result.findings
            )
        )


def _mutants_of(group: str) -> tuple[Mutant, ...]:
    mutants: tuple[Mutant, ...] = import_module(f"tests.contract_tests.mutants.{group}").MUTANTS
    return mutants
