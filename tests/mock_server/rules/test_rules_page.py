"""The reference page of rules is generated, and its examples are rules."""

from pathlib import Path

import pytest

from mock_server.domain import rule_grammar as grammar
from mock_server.domain.outcome import WrittenOutcome
from mock_server.domain.rule_parsing import parse_rule
from mock_server.rules_page import member_metas, rules_page
from tests.mock_server.e2e.api import Json
from tests.mock_server.rules.strategies import FAIL_CODES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")

APPLIES = {"state": {"wire": "close"}, "attempt": {"callback": "drop"}}
EXAMPLES: list[Json] = [
    *(
        {"match": {name: value}, "apply": APPLIES.get(name, {"latency": 1})}
        for name, meta in member_metas(grammar.Match).items()
        for value in meta.examples or ()
    ),
    *(
        {"apply": {name: value}}
        for name, meta in member_metas(grammar.Apply).items()
        for value in meta.examples or ()
    ),
    *(
        {"apply": {"outcome": {"fail": "NSFW", name: value}}}
        for name, meta in member_metas(WrittenOutcome).items()
        for value in meta.examples or ()
    ),
    *(
        {"apply": {"refuse": {"status": 503, name: value}}}
        for name, meta in member_metas(grammar.Refuse).items()
        for value in meta.examples or ()
    ),
]


def test_page_is_current() -> None:
    assert rules_page() == PAGE, "run `make docs`"


def test_readme_links_to_the_page() -> None:
    assert "(docs/rules.md)" in README


@pytest.mark.parametrize("rule", EXAMPLES, ids=str)
def test_example_is_a_rule(rule: Json) -> None:
    assert parse_rule(rule, "rule", FAIL_CODES).written["apply"] == rule["apply"]


@pytest.mark.parametrize(
    "kind", [grammar.Match, grammar.Apply, grammar.Refuse, WrittenOutcome], ids=str
)
def test_every_member_has_an_example_and_a_description(kind: type) -> None:
    assert all(meta.examples and meta.description for meta in member_metas(kind).values())
