"""docs/glossary.md defines each term once and names only classes that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = re.findall(
    r"^\| (.+?) \| (.+) \|$", (ROOT / "docs/glossary.md").read_text("utf-8"), re.MULTILINE
)
TERMS = [term for term, _ in ROWS if term not in {"term", "---"}]


def test_terms_are_in_alphabetical_order_and_unique() -> None:
    assert sorted(set(TERMS), key=str.casefold) == TERMS


def test_classes_in_the_glossary_exist() -> None:
    named = {name for _, text in ROWS for name in re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", text)}
    sources = (
        path.read_text("utf-8")
        for package in ("mock_server", "client_reference", "contract_tests")
        for path in (ROOT / package).rglob("*.py")
    )
    declared = {
        name for source in sources for name in re.findall(r"^class (\w+)", source, re.MULTILINE)
    }

    assert named
    assert named <= declared
