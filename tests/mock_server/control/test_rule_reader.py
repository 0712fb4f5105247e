"""Other requests are served while many rules are read."""

import asyncio

import pytest

from mock_server.control.errors import ControlError
from mock_server.control.rule_reader import RuleReader
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.store.memory_store import MemoryStore
from mock_server.web.redaction import Redactor
from tests.mock_server.domain.driven import DEFAULTS
from tests.mock_server.domain.strategies import FAIL_MESSAGES, NOW_MS

pytestmark = pytest.mark.anyio
SANDBOX = Sandbox("0" * 16, DEFAULTS, is_broke=False, real_ms=NOW_MS)
READER = RuleReader(MemoryStore(DEFAULTS), FAIL_MESSAGES, lambda sandbox: Redactor())


def rule(number: int) -> object:
    """Return a rule whose pattern takes a millisecond to compile."""
    pattern = f"([a-z][0-9]|{number})*" * 30
    return {"match": {"prompt_regex": pattern}, "apply": {"wire": "close"}}


async def test_many_rules_are_read_in_pieces() -> None:
    """Before, 1,000 such rules stopped the server for seconds."""
    reading = asyncio.create_task(READER.read_all(SANDBOX, list(map(rule, range(200))), "rules"))
    turns = 0

    while not reading.done():
        turns += 1
        await asyncio.sleep(0)

    assert len(reading.result()) == 200
    assert turns > 10


async def test_error_names_the_number_of_the_rule() -> None:
    broken = {"match": {"prompt_regex": "("}, "apply": {"wire": "close"}}

    with pytest.raises(ControlError, match=r"rules\[1\].match.prompt_regex: is not a valid"):
        await READER.read_all(SANDBOX, [rule(1), broken], "rules")
