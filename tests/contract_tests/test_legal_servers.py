"""The kit accepts every server that keeps the contract, however it differs from the mock."""

from pathlib import Path
from random import Random

import pytest

from contract_tests.server.case import Case, Time
from contract_tests.server.catalogue import all_cases, select_cases
from tests.contract_tests.mutants.legal.accepting import VARIATIONS, complaints, related
from tests.contract_tests.mutants.legal.variation import Variation
from tests.contract_tests.mutants.matrix import variations_part
from tests.properties import is_deep

pytestmark = pytest.mark.long

_FEW = 4  # cases for each variation, where not all are run
# Without control plane, the cases take real time.
FOREIGN = tuple(each for each in VARIATIONS if each.is_foreign_only or is_deep())
_IN_REAL_TIME = {
    "S-RES-004", "S-RES-006", "S-CB-001", "S-FAIL-002", "S-SUB-085", "S-STA-010", "S-STA-011",
}  # fmt: skip
WITH_CONTROL = tuple(each for each in VARIATIONS if not each.is_foreign_only)


def cases_for(variation: Variation) -> tuple[Case, ...]:
    """Return every case in a deep run, and otherwise a few that the variation could confuse."""
    if is_deep():
        return select_cases(all_cases())
    quick = [case for case in related(variation) if not is_slow(case)]
    chosen = Random(variation.name).sample(quick, min(_FEW, len(quick)))
    return tuple(chosen)


def is_slow(case: Case) -> bool:
    """Tell whether a case sends hundreds of requests or waits for retries."""
    return (
        case.exhausts
        or int(case.id[-3:]) > 100
        or (case.id.startswith("S-TRF") and case.id != "S-TRF-002")  # It waits for one generation.
        or case.id in {"S-CB-005", "S-LIM-002"}
    )


def is_quick_in_real_time(case: Case) -> bool:
    """Tell whether a case takes few seconds without a control plane."""
    is_instant = case.time is Time.INSTANT and not case.needs_control
    return is_instant or case.id in _IN_REAL_TIME


@pytest.mark.deep
@pytest.mark.parametrize("variation", WITH_CONTROL, ids=lambda variation: variation.name)
def test_a_legal_variation_is_accepted(variation: Variation) -> None:
    assert complaints(variation, cases_for(variation)) == ()


@pytest.mark.deep
@pytest.mark.parametrize("variation", FOREIGN, ids=lambda variation: variation.name)
def test_a_legal_variation_without_control_plane_is_accepted(variation: Variation) -> None:
    cases = tuple(case for case in related(variation) if not is_slow(case))
    if not is_deep():
        cases = tuple(case for case in cases if is_quick_in_real_time(case))

    assert cases
    assert complaints(variation, cases, is_foreign=True) == ()


def test_the_page_names_every_legal_variation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mutants.md").read_text(encoding="utf-8")

    assert variations_part() in page, "run: make docs"


def test_there_are_at_least_40_legal_variations() -> None:
    assert len({variation.name for variation in VARIATIONS}) >= 40


@pytest.mark.parametrize("variation", VARIATIONS, ids=lambda variation: variation.name)
def test_a_legal_variation_selects_cases(variation: Variation) -> None:
    assert related(variation)
