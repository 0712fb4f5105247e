"""Real client programs: the audit finds the bug of each bad one, and nothing in the good ones."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import pytest

from contract_tests.client.rules import BY_ID
from contract_tests.client.situations import SITUATIONS
from tests.contract_tests.clients.corpus import (
    PROGRAMS,
    Program,
    audit,
    bad_programs,
    cases_for,
    fast_mock,
    good_programs,
    violations,
)
from tests.contract_tests.mutants.matrix import programs_part
from tests.properties import is_deep

pytestmark = pytest.mark.long

PAGE: Final = Path(__file__).parents[2] / "docs" / "mutants.md"
_SEED: Final = 7
_FEW_BAD: Final = 6
_FEW_GOOD: Final = 3
_FEW_CASES: Final = ("A-REQ-001", "A-RES-007", "A-CB-001", "A-CB-002")
JUDGED: Final = {each.id: each.judged for each in SITUATIONS}


def sample(programs: tuple[Program, ...], number: int) -> list[Program]:
    """Return some programs, or all of them with the deep profile."""
    if is_deep():
        return list(programs)
    return Random(_SEED).sample(programs, number)


@pytest.fixture(scope="module")
def mock_url() -> Iterator[str]:
    with fast_mock() as url:
        yield url


def skip_if_it_cannot_run(program: Program) -> None:
    if program.missing():
        pytest.skip(program.missing())


@pytest.mark.deep
@pytest.mark.parametrize("program", sample(bad_programs(), _FEW_BAD), ids=lambda each: each.name)
def test_bug_of_a_program_is_named_by_its_rule(program: Program, mock_url: str) -> None:
    skip_if_it_cannot_run(program)

    found = violations(audit(program, cases_for(program, [program.case]), mock_url))

    assert program.rule in found
    assert set(found) <= {program.rule, *program.also}, found


@pytest.mark.deep
@pytest.mark.parametrize("program", sample(good_programs(), _FEW_GOOD), ids=lambda each: each.name)
def test_nothing_is_found_in_a_good_program(program: Program, mock_url: str) -> None:
    skip_if_it_cannot_run(program)
    cases = cases_for(program) if is_deep() else cases_for(program, _FEW_CASES)

    assert violations(audit(program, cases, mock_url)) == {}


def test_page_lists_every_bad_program() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page.endswith(programs_part()), "run: make docs"


def test_every_program_is_in_the_manifest() -> None:
    files = {path.relative_to(PROGRAMS).as_posix() for path in PROGRAMS.glob("*/*")}
    listed = [each.file for each in (*good_programs(), *bad_programs())]

    assert len(listed) == len(set(listed))
    assert set(listed) == {name for name in files if "__pycache__" not in name}


@pytest.mark.parametrize("program", bad_programs(), ids=lambda each: each.name)
def test_bad_program_names_a_rule_that_its_case_judges(program: Program) -> None:
    assert program.bug
    assert program.rule in JUDGED[program.case]
    assert set(program.also) <= BY_ID.keys()
