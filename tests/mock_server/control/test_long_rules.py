"""Lists of rules are encoded and redacted in pieces; other requests are served in between."""

import asyncio
import json
from typing import Any, cast

import pytest

from mock_server.control.long_list import encoded
from mock_server.control.resources.next import NextResource
from mock_server.control.resources.rules import RulesResource
from mock_server.control.rule_reader import RuleReader
from mock_server.domain.commands import PushNext, SetRules
from mock_server.domain.rule_parsing import parse_rule
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.store.redis.stores import TEMPLATE

ID = "0123456789abcdef"
COUNT = 1_000
RULE = {"match": {"prompt": "a" * 500}, "apply": {"latency": "1s"}}
PIECE_BYTES = 32 * 1024


@pytest.mark.parametrize("resource", [RulesResource, NextResource])
def test_rules_are_redacted_in_pieces(resource: type[RulesResource | NextResource]) -> None:
    sizes: list[int] = []

    def redact(raw: bytes) -> bytes:
        sizes.append(len(raw))
        return raw

    async def main() -> Any:
        store = MemoryStore(TEMPLATE)
        sandbox = await store.open(ID, is_broke=False, real_ms=0)
        definition = parse_rule(RULE, "rule", {})
        await store.execute(ID, SetRules(real_ms=0, definitions=[definition] * COUNT))
        for _ in range(COUNT):
            await store.execute(ID, PushNext(real_ms=0, definition=definition, count=1))
        shown = resource(store, cast("RuleReader", None), real_ms=lambda: 0)
        return json.loads(bytes(await encoded(await shown.show(sandbox), redact)))

    answer = asyncio.run(main())

    assert len(answer.get("rules", answer.get("next"))) == COUNT
    assert sum(sizes) > COUNT * 500
    assert max(sizes) < PIECE_BYTES
