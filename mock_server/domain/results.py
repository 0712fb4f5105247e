"""The results of commands and queries: frozen values that do not change with the sandbox."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from mock_server.domain.clock import Mode
from mock_server.domain.task import Task

NO_PERMISSION = "API key lacks permission"  # AUTH-5: the authentication page's meaning of a 403.


class RejectionReason(StrEnum):
    """Why a command was rejected."""

    RATE_LIMIT = "rate limit"  # LIM-1
    CONCURRENCY = "concurrency"  # LIM-2
    CREDITS = "credits"  # SUB-17
    UNKNOWN_TASK = "unknown task"  # STA-2
    TASK_ENDED = "task ended"  # STA-5
    NO_ROOM = "no room"  # The mock's own limit, --max-tasks.


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """The result of a rejected command, which changed nothing but counters.

    `wait_ms` is the time until the same command would be accepted, in milliseconds of the
    sandbox's clock. It is 0 if that is unknown.
    """

    reason: RejectionReason
    now_ms: int
    wait_ms: int = 0


class TaskView(msgspec.Struct, frozen=True, gc=False):
    """A task at an instant of its sandbox's clock."""

    task: Task
    now_ms: int
    ends_now: bool = False  # This status request ended the task (`polls`).


class BalanceView(msgspec.Struct, frozen=True, gc=False):
    """The result of a counted request, with the current balance."""

    now_ms: int
    balance_microusd: int


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    mode: Mode
    speed: float
    now_ms: int


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    requests: int
    rejected: int
    responses: Mapping[int, int]  # The number of responses by status.
    succeeded: int
    failed: int
    dropped_tasks: int
    live_tasks: int
    balance_microusd: int
    journal_entries: int
    journal_bytes: int
    journal_dropped: int
