"""The kit has teeth: every broken server is caught by a case of exactly the clause it breaks."""

import re
from pathlib import Path
from random import Random

import pytest

from contract_tests.contract.register import load_register
from contract_tests.server.case import Case
from tests.contract_tests.mutants.all_mutants import SEED, all_mutants, cases_of, killers
from tests.contract_tests.mutants.harness import Mutant
from tests.properties import is_deep

pytestmark = pytest.mark.long

_ONE_OF = 3  # So many mutants of a clause are there for each one that `make test` tries.
PAGE = (Path(__file__).parents[2] / "docs" / "mutants.md").read_text(encoding="utf-8")
SERVERS, _, _ = PAGE.partition("\n## Generated servers\n")
HEAD = {("clause", "mutant"), ("---", "---")}
TOLD = {
    (clause, name): set(cases.split())
    for clause, name, cases in re.findall(r"^\| (\S+) \| (.+) \| (.+) \|$", SERVERS, re.MULTILINE)
    if (clause, name) not in HEAD
}


def tried() -> list[Mutant]:
    """Return all mutants in a deep run, and otherwise a sample that has each clause."""
    if is_deep():
        return list(all_mutants())
    by_clause: dict[str, list[Mutant]] = {}
    for mutant in all_mutants():
        by_clause.setdefault(mutant.clause, []).append(mutant)
    chance = Random(SEED)
    return [
        mutant
        for mutants in by_clause.values()
        for mutant in chance.sample(mutants, -(-len(mutants) // _ONE_OF))
    ]


@pytest.mark.deep
@pytest.mark.parametrize("mutant", tried(), ids=lambda mutant: mutant.name)
def test_a_broken_server_is_caught_by_a_case_of_its_clause_that_the_page_names(
    mutant: Mutant,
) -> None:
    """The named cases are tried until one fails: which others do may depend on a busy machine."""
    named = [case for case in cases_of(mutant) if case.id in TOLD[mutant.clause, mutant.name]]

    assert any(killers(mutant, (case,)) for case in sorted(named, key=is_slow)), (
        f"{mutant.name} survives what docs/mutants.md names for {mutant.clause}; run: make docs"
    )


def is_slow(case: Case) -> bool:
    """Tell whether a case sends hundreds of requests, as most properties (from 101 on) do."""
    return case.exhausts or int(case.id[-3:]) > 100


def test_every_testable_clause_has_a_mutant() -> None:
    broken = {mutant.clause for mutant in all_mutants()}

    assert {clause.id for clause in load_register() if clause.testable} <= broken


def test_mutants_are_told_apart_by_their_names() -> None:
    names = [mutant.name for mutant in all_mutants()]

    assert len(names) == len(set(names))


def test_the_page_names_every_mutant_and_no_other() -> None:
    assert {(mutant.clause, mutant.name) for mutant in all_mutants()} == TOLD.keys(), (
        "run: make docs"
    )
