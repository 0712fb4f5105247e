"""What the rest of the server wants of whoever delivers callbacks (CB-1 … CB-4)."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.snapshot import Snapshot


class DeliveryAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """A callback attempt that was made. `at_ms` is an instant of the sandbox's clock."""

    at_ms: int
    task_id: str
    attempt: int
    status: int | None
    error: str | None


class Advanced(msgspec.Struct, frozen=True, kw_only=True):
    """The way of a sandbox's clock, and the callback attempts that were made on it."""

    from_ms: int
    now_ms: int
    fired: Sequence[DeliveryAttempt]


class InstantTooLate(Exception):
    """The calendar ends before the instant asked for."""


class SandboxDropped(Exception):
    """Everything of the sandbox was dropped while its clock was moved."""


class CallbackDispatcher(Protocol):
    def wake(self, sandbox_id: str) -> None:
        """Look for due callbacks in a sandbox, now and at the next due instant."""

    async def advance(self, sandbox_id: str, by_ms: int) -> Advanced:
        """Move the sandbox's clock forward and deliver what falls due on the way.

        Every attempt is made in order of time, with the clock at its own instant, and has its
        result when this returns. Raises InstantTooLate, SandboxDropped.
        """

    async def deliver_now(self, sandbox_id: str, task_id: str, match: RuleMatch) -> None:
        """Send what is due and wait for the results: a rule wants this task's callback early."""

    async def reset(self, sandbox_id: str) -> None:
        """Drop everything of a sandbox, attempts in progress included."""

    async def restore(self, sandbox_id: str, snapshot: Snapshot) -> None:
        """Continue as a snapshot says; attempts in progress are dropped. Raises NoRoom."""

    async def drop_all(self) -> None:
        """Remove every sandbox, attempts in progress included."""
