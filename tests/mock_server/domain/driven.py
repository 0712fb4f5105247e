"""A sandbox that is driven by commands, and what they have returned."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from mock_server.domain.commands import (
    Command,
    TakeSnapshot,
)
from mock_server.domain.deliveries import DueDelivery
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from tests.mock_server.domain.strategies import CATALOGUE, FAIL_MESSAGES, NOW_MS

ID = "0123456789abcdef"
SETTINGS = SandboxSettings(rate_limit=6, max_concurrent=3, balance_microusd=500_000)
DEFAULTS = SandboxTemplate(
    seed=7,
    settings=SETTINGS,
    clock=ClockSettings(),
    models=CATALOGUE.models,
    fail_messages=FAIL_MESSAGES,
)


class Driven:
    """A sandbox with the real instant, and all that its commands have returned."""

    def __init__(self) -> None:
        self.real_ms = NOW_MS
        self.sandbox = Sandbox(ID, DEFAULTS, is_broke=False, real_ms=NOW_MS)
        self.results: list[object] = []
        self.claimed: list[DueDelivery] = []  # By `claim`, whose attempts may be in progress.

    def apply(self, command: type[Command[Any]], **members: Any) -> Any:
        """Apply a command and note its result with the events that it caused."""
        result = self.sandbox.apply(command(real_ms=self.real_ms, **members))
        self.results += [_without_claim(result), *self.sandbox.events]
        self.sandbox.events.clear()
        return result

    def task_id(self, nth: int) -> str:
        tasks, _ = self.sandbox.tasks(self.real_ms)
        return tasks[nth % len(tasks)].id if tasks else "nobody's"

    def document(self) -> bytes:
        """Return its snapshot as it is written."""
        return msgspec.json.encode(
            self.sandbox.apply(TakeSnapshot(real_ms=self.real_ms)).snapshot()
        )


Step = Callable[[Driven], object]


def _without_claim(result: object) -> object:
    """Leave out the numbers of claims, which count from the start of a process."""
    if isinstance(result, list):
        return [
            msgspec.structs.replace(each, claim=0) if isinstance(each, DueDelivery) else each
            for each in result
        ]
    return result


def run(driven: Driven, sequence: Sequence[Step]) -> Driven:
    for step in sequence:
        step(driven)
    return driven


def parsed(written: dict[str, Any]) -> RuleDefinition:
    return parse_rule(written, "rule", FAIL_MESSAGES)
