"""The generated pages are those that `make docs` writes now, and name what they list."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from contract_tests.client.rules import RULES
from tests.pages.blocks import ROOT, page_name
from tests.pages.reference.control_page import control_page, published_document
from tests.pages.reference.generated import GENERATED_FILES
from tests.pages.reference.llms import pages_by_section

DOCS = ROOT / "docs"


@pytest.mark.parametrize(
    ("path", "text"), GENERATED_FILES.items(), ids=lambda each: getattr(each, "name", "")
)
def test_generated_page_is_current(path: Path, text: Callable[[], str]) -> None:
    assert path.read_text("utf-8") == text(), "run `make docs`"


def test_page_of_the_control_api_has_every_call() -> None:
    document = published_document()

    named = set(re.findall(r"^### `(.+)`$", control_page(document), re.MULTILINE))

    assert named == {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }


def test_page_of_the_audit_has_every_rule() -> None:
    page = (DOCS / "reference/audit-rules.md").read_text("utf-8")

    assert [rule.id for rule in RULES if f"| {rule.id} |" not in page] == []


def test_navigation_has_every_page() -> None:
    in_navigation = [file for files in pages_by_section().values() for file in files]
    written = {page_name(page).removeprefix("docs/") for page in DOCS.rglob("*.md")}

    assert len(in_navigation) == len(set(in_navigation))
    assert set(in_navigation) == {each for each in written if not each.startswith("decisions/")}
