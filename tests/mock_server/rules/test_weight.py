"""The weight of a rule is about the memory that it uses."""

import json
import tracemalloc

import pytest

from mock_server.domain.rule_parsing import parse_rule
from tests.mock_server.e2e.api import Json

COUNT = 200
MATCHES: list[Json] = [
    {},
    {"header": {f"x{number}": "y" for number in range(20)}},
    {"prompt": "\N{FOX FACE}" * 10_000},
    {"prompt": "x" * 10_000, "state": None, "nth": "2..4"},
]


@pytest.mark.parametrize("match", MATCHES, ids=["plain", "headers", "wide prompt", "prompt"])
def test_a_rule_uses_no_more_memory_than_its_weight(match: Json) -> None:
    text = json.dumps({"match": match | {"operation": "submit"}, "apply": {"wire": "close"}})
    parse_rule(json.loads(text), "", {})  # This imports the grammar.
    tracemalloc.start()
    try:
        rules = [parse_rule(json.loads(text), "", {}) for _ in range(COUNT)]
        used_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert used_bytes <= sum(rule.weight for rule in rules)
