"""The kit detects servers that are wrong in one context only, and blames no true one."""

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from contract_tests.contract.register import load_register
from contract_tests.server.catalogue import all_cases, select_cases
from tests.contract_tests.mutants.engine.all import ALTERATIONS, SEED, engine_mutants, excluded
from tests.contract_tests.mutants.engine.alterations import Alteration, EngineMutant, combined
from tests.contract_tests.mutants.engine.contexts import ALWAYS, CONTEXTS
from tests.contract_tests.mutants.engine.exclusions import EXCLUSIONS
from tests.contract_tests.mutants.engine.killing import Killers
from tests.contract_tests.mutants.engine.measuring import read_measured
from tests.contract_tests.mutants.engine.rates import rates_part
from tests.contract_tests.mutants.engine.survivors import survivors
from tests.properties import is_deep

pytestmark = pytest.mark.long

PAGE = (Path(__file__).parents[2] / "docs" / "mutants.md").read_text(encoding="utf-8")
MUTANTS = engine_mutants()
ALIVE = survivors().with_control
SEEN_KILLED = {kill.mutant for kill in read_measured() if kill.case and not kill.is_foreign}
_FEW = 30
TRIED = (
    [each for each in MUTANTS if each.name not in ALIVE]
    if is_deep()
    else Random(SEED).sample([each for each in MUTANTS if each.name in SEEN_KILLED], _FEW)
)
KILLERS = Killers()


@pytest.mark.deep
@pytest.mark.parametrize("mutant", TRIED, ids=lambda mutant: mutant.name)
def test_a_server_that_is_wrong_in_one_context_is_caught(mutant: EngineMutant) -> None:
    kill = KILLERS.kill(mutant)

    assert kill.case, (
        f"{mutant.name} survives; no finding names {' or '.join(sorted(mutant.clauses))}"
        f" (found: {' '.join(kill.others) or 'nothing'})"
    )


def test_a_mutant_that_changes_nothing_survives() -> None:
    nothing = Alteration(
        operator="keep",
        place="everything",
        clause="STA-3",
        when=frozenset({"success"}),
        also=frozenset(clause.id for clause in load_register()) - {"STA-3"},
        data=lambda data, _: dict(data),
    )
    few = select_cases(all_cases(), select=("S-STA-00*", "S-CB-001", "S-BIL-001", "S-TRF-101"))

    kill = KILLERS.kill(combined(nothing, ALWAYS), cases=few)

    assert (kill.case, kill.others) == ("", ())


def test_generated_mutants_are_told_apart_by_their_names() -> None:
    names = [mutant.name for mutant in MUTANTS]

    assert len(names) == len(set(names))


def test_every_alteration_and_every_context_has_a_mutant() -> None:
    contexts = Counter(mutant.context.name for mutant in MUTANTS)

    assert {mutant.alteration.name for mutant in MUTANTS} == {each.name for each in ALTERATIONS}
    assert contexts.keys() == {each.name for each in CONTEXTS}


def test_every_clause_that_a_mutant_names_is_in_the_register() -> None:
    known = {clause.id for clause in load_register()}

    assert all(mutant.clauses <= known for mutant in MUTANTS)


def test_every_exclusion_excludes_something() -> None:
    assert {rule.reason for rule in EXCLUSIONS} == excluded().keys()


@pytest.mark.parametrize("is_foreign", [False, True])
def test_every_survivor_is_a_mutant_and_has_a_reason(is_foreign: bool) -> None:  # noqa: FBT001
    known = survivors().of(is_foreign=is_foreign)

    assert known.keys() <= {mutant.name for mutant in MUTANTS}
    assert all(len(reason) > 20 for reason in known.values())


def test_the_page_has_the_results_of_the_last_measurement() -> None:
    assert rates_part(read_measured()).strip() in PAGE, "run: make docs"


@pytest.mark.parametrize("is_foreign", [False, True])
def test_the_survivors_of_the_last_measurement_are_listed(is_foreign: bool) -> None:  # noqa: FBT001
    alive = {
        kill.mutant for kill in read_measured() if not kill.case and kill.is_foreign == is_foreign
    }

    assert alive == survivors().of(is_foreign=is_foreign).keys()


def test_the_page_counts_each_measured_mutant_once_by_its_clause() -> None:
    _, _, part = PAGE.partition("## Generated servers\n")
    rows = re.findall(r"^\| ([A-Z]+-\d+) \| (?:\d+ of (\d+)|-)", part, re.MULTILINE)
    counted = {clause: int(total or 0) for clause, total in rows}
    known = Counter(mutant.clause for mutant in MUTANTS)
    measured = re.search(r"^Measured: (\d+) mutants", part, re.MULTILINE)
    assert measured is not None

    assert sum(counted.values()) == int(measured[1])
    assert all(known[clause] >= total for clause, total in counted.items())
