"""The interface of the dispatcher, which delivers callbacks (CB-1 … CB-4)."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.snapshot import Snapshot


class DeliveryAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a callback attempt. `at_ms` is an instant of the sandbox's clock."""

    at_ms: int
    task_id: str
    attempt: int
    status: int | None
    error: str | None


class Advanced(msgspec.Struct, frozen=True, kw_only=True):
    """The result of `advance`: the old and new instant, and the callback attempts in between."""

    from_ms: int
    now_ms: int
    fired: Sequence[DeliveryAttempt]


class InstantTooLate(Exception):
    """The requested instant is after the year 9999."""


class SandboxDropped(Exception):
    """The state of the sandbox was dropped while its clock was moved."""


class CallbackDispatcher(Protocol):
    """Attempts in progress are dropped as soon as their sandbox is reset, restored or removed.

    If another process does that, they are dropped when this process learns of it.
    """

    def wake(self, sandbox_id: str) -> None:
        """Start the due callbacks of a sandbox now, and the next ones when they become due."""

    async def advance(self, sandbox_id: str, by_ms: int) -> Advanced:
        """Move the sandbox's clock forward and deliver the callbacks that become due.

        The attempts are made in order of time, and all have finished when this returns. The clock
        stands still while a receiver responds, unless that takes more than a second and callbacks
        to other URLs are due (decision 19). Calls for one sandbox take turns, in all processes.
        Raises InstantTooLate, SandboxDropped, StoreUnavailable.
        """

    async def deliver_now(self, sandbox_id: str, task_id: str, match: RuleMatch) -> None:
        """Send the due callbacks of a sandbox, and wait for the result of this task's callback.

        `match` is the rule that sends it before the submit of the task is answered.
        """

    async def restore(self, sandbox_id: str, snapshot: Snapshot) -> None:
        """Replace the state of a sandbox by a snapshot. Raises NoRoom, SandboxMissing."""
