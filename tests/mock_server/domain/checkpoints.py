"""Sandboxes whose checkpoints a test loads, in a server with other settings."""

import msgspec

from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from tests.mock_server.domain.driven import DEFAULTS, ID, Driven, parsed
from tests.mock_server.domain.strategies import CATALOGUE, FAIL_MESSAGES, NOW_MS

EVERY_THIRD = parsed({"match": {"nth": "every 3"}, "apply": {"wire": "close"}})
OFTEN = parsed({"match": {"probability": 0.5, "times_each": 2}, "apply": {"latency": "5ms"}})
TEMPLATE = msgspec.structs.replace(DEFAULTS, rules=(EVERY_THIRD,), profile_rules=(OFTEN,))
OTHER_SERVER = SandboxTemplate(
    seed=8,
    settings=SandboxSettings(rate_limit=1, balance_microusd=1),
    clock=ClockSettings(mode="manual"),
    models=CATALOGUE.models,
    fail_messages=FAIL_MESSAGES,
)


def saved(sandbox: Sandbox) -> bytes:
    return b"".join(sandbox.checkpoint())


def of_template() -> Driven:
    driven = Driven()
    driven.sandbox = Sandbox(ID, TEMPLATE, is_broke=False, real_ms=NOW_MS)
    return driven
