"""Clauses, cases and code refer to one another, and nothing is cited that does not exist."""

import re
from pathlib import Path

import msgspec
import pytest

from contract_tests.contract.errors import RegisterError
from contract_tests.contract.fail_codes import load_fail_codes
from contract_tests.contract.register import load_register, parse_register
from contract_tests.server.catalogue import all_cases
from contract_tests.server.contract_page import current_page

ROOT = Path(__file__).parents[2]
REGISTER = ROOT / "fixtures" / "contract" / "clauses.toml"
CITED = re.compile(r"\b(?:AUTH|ENV|SUB|STA|FAIL|LIM|TIM|CB|RES|BIL)-\d+\b")


@pytest.mark.parametrize(
    "folder", ["mock_server", "client_reference", "contract_tests", "fixtures"]
)
def test_no_unknown_clause_is_cited(folder: str) -> None:
    files = [
        path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".toml", ".json"}
    ]
    cited = {
        (clause, path.name)
        for path in files
        for clause in CITED.findall(_without_case_ids(path.read_text(encoding="utf-8")))
    }

    assert {each for each in cited if each[0] not in load_register()} == set()


def test_every_testable_clause_has_a_case() -> None:
    tested = {clause for case in all_cases() for clause in case.clauses}

    assert {clause.id for clause in load_register() if clause.testable} - tested == set()


def test_every_case_names_clauses_of_the_register_that_can_be_tested() -> None:
    register = load_register()

    for case in all_cases():
        assert case.clauses
        assert all(clause in register and register[clause].testable for clause in case.clauses)


def test_case_ids_are_unique_and_name_a_group() -> None:
    ids = [case.id for case in all_cases()]

    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"S-[A-Z]{2,4}-[0-9]{3}", case_id) for case_id in ids)


def test_the_page_of_the_contract_is_current() -> None:
    page = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")

    assert page == current_page(), "run: make docs"


def test_the_clauses_name_every_fail_code_and_no_other() -> None:
    register = load_register()
    text = " ".join(register[clause].text for clause in ("FAIL-1", "FAIL-2", "FAIL-3"))
    named = {word for word in re.findall(r"\w+", text) if re.search(r"[A-Z]{3}|[a-z][A-Z]", word)}

    assert named - {"FAIL"} == load_fail_codes().keys()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"retired": ["STA-5"]}, "STA-5: duplicate id"),
        ({"more": "STA-5"}, "STA-5: duplicate id"),
        ({"retired": ["sta5"]}, "sta5: invalid id"),
        ({"id": "sta5"}, "sta5: invalid id"),
        ({"id": "STA-5a"}, "STA-5a: invalid id"),
        ({"id": "XYZ-1"}, "XYZ-1: invalid id"),
        ({"text": " "}, "AUTH-1: text must not be empty"),
        ({"sources": ["a rumour"]}, 'unknown source "a rumour"'),
        ({"testable": False}, "AUTH-1: needs either testable = true or why_not"),
        ({"why_not": "it is late"}, "AUTH-1: needs either testable = true or why_not"),
        ({"testable": False, "why_not": " "}, "AUTH-1: why_not must not be empty"),
        ({"note": ""}, "AUTH-1: note must not be empty"),
        ({"certainty": "sure"}, "Invalid enum value 'sure'"),
        ({"colour": "red"}, "unknown field `colour`"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_data_that_contradict_themselves_are_refused(
    change: dict[str, object], problem: str
) -> None:
    document = msgspec.toml.decode(REGISTER.read_bytes())
    if "retired" in change:
        document |= change
    elif "more" in change:
        document["clauses"].append(document["clauses"][0] | {"id": change["more"]})
    else:
        document["clauses"][0] |= change

    with pytest.raises(RegisterError, match=re.escape(problem)):
        parse_register(document)


def _without_case_ids(text: str) -> str:
    return re.sub(r"\b[SCA]-[A-Z]+-\d+", "", text)
