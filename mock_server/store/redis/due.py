"""The instants at which some process must look at a sandbox: a sorted set in Redis.

It contains each sandbox with a callback that is scheduled, or with an attempt in progress. A
process looks at those that are overdue, because the process that should have served them has ended.
So no callback is lost, even of a sandbox that no living process has ever served.
"""

from collections.abc import Sequence
from typing import Any

from mock_server.domain import commands
from mock_server.domain.commands import Command
from mock_server.domain.ports import RealClock
from mock_server.store.redis.client import Command as RedisCommand
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.keys import DUE
from mock_server.store.redis.replica import Replica

_SCHEDULING = frozenset(
    {
        commands.ChangeSettings,
        commands.ClaimDeliveries,
        commands.CompleteEarly,
        commands.ExpectCallback,
        commands.FinishTask,
        commands.HoldClock,
        commands.MoveClock,
        commands.PostponeDelivery,
        commands.RecordDelivery,
        commands.ReleaseClaims,
        commands.ReleaseClock,
        commands.Reset,
        commands.Restore,
        commands.SetClock,
    }
)
_UNTIL_WRITTEN_MS = 2_000  # A process that is alive writes the exact instant sooner.
_IN_PROGRESS_MS = 6_000  # How often a process checks whether the owner of an attempt is alive.
_LATEST_MS = 600_000  # A process looks at each sandbox in the set at least this often.
_TOLERANCE_MS = 3_000
_OVERDUE_MS = 1_000
_MAX_AT_ONCE = 100


class DueInstants:
    """Writes and reads the sorted set."""

    def __init__(self, connection: RedisConnection, clock: RealClock, expiry: Expiry) -> None:
        self._connection = connection
        self._expiry = expiry
        self._clock = clock

    def commands_before(
        self, replica: Replica, batch: Sequence[Command[Any]]
    ) -> list[RedisCommand]:
        """Return what is sent before a batch of commands of a sandbox, or before its log is read.

        Before a batch that may schedule something, the set contains an instant that is early
        enough. So if a process ends right after the batch, another process looks at the sandbox.
        """
        sandbox_id = replica.sandbox.id
        early = self.commands_after(replica, batch)
        if early:
            replica.is_due_open = True
            replica.due_ms = None
            return early
        if not replica.is_due_open:
            return []
        replica.due_ms = self._wanted_ms(replica)
        if replica.due_ms is None:
            return [("ZREM", DUE, sandbox_id)]
        return [("ZADD", DUE, replica.due_ms, sandbox_id), self._expiry.of_shared(DUE)]

    def commands_after(self, replica: Replica, batch: Sequence[Command[Any]]) -> list[RedisCommand]:
        """Return what is sent after a batch.

        Another process may remove the sandbox from the set just before it reads the batch.
        """
        if not _may_schedule(replica, batch):
            return []
        early_ms = self._now_ms() + _UNTIL_WRITTEN_MS
        return [
            ("ZADD", DUE, "LT", early_ms, replica.sandbox.id),
            self._expiry.of_shared(DUE),
        ]

    def needs_round_trip(self, replica: Replica, *, has_commands: bool) -> bool:
        """Return whether another round trip must write the exact instant.

        It is final only if the log has shown nothing new after it was written: a process that
        appends a command at the same time has written its instant before, or does so afterwards.
        """
        if not replica.is_due_open:
            return False
        wanted_ms, written_ms = self._wanted_ms(replica), replica.due_ms
        if wanted_ms is None or written_ms is None:
            is_exact = wanted_ms is written_ms
        else:
            is_exact = -_TOLERANCE_MS <= written_ms - wanted_ms <= 0
        if is_exact and not has_commands:
            replica.is_due_open = False
        return replica.is_due_open

    async def overdue(self) -> list[str]:
        """Return sandboxes that no process has looked at in time."""
        latest_ms = self._now_ms() - _OVERDUE_MS
        [found] = await self._connection.send(
            [("ZRANGE", DUE, "-inf", latest_ms, "BYSCORE", "LIMIT", 0, _MAX_AT_ONCE)]
        )
        return [each.decode() for each in checked(found)]

    async def forget(self, sandbox_id: str) -> None:
        """Remove a sandbox that does not exist any more."""
        await self._connection.send([("ZREM", DUE, sandbox_id)])

    def _wanted_ms(self, replica: Replica) -> int | None:
        """Return the real instant at which a process must look at the sandbox, or None."""
        sandbox, now_ms = replica.sandbox, self._now_ms()
        progress_ms = now_ms + _IN_PROGRESS_MS if sandbox.claim_owners() else None
        due_ms = sandbox.next_due_ms()
        if due_ms is None:
            return progress_ms
        wait_s = sandbox.real_wait_s(due_ms, now_ms)
        if wait_s is None:  # Only a call of the control plane moves this clock.
            return progress_ms
        wanted_ms = now_ms + min(int(wait_s * 1000), _LATEST_MS)
        return wanted_ms if progress_ms is None else min(wanted_ms, progress_ms)

    def _now_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _may_schedule(replica: Replica, batch: Sequence[Command[Any]]) -> bool:
    """Tell whether commands may make a callback due, or claim one."""
    if not _SCHEDULING.isdisjoint(map(type, batch)):
        return True
    sandbox = replica.sandbox
    return sandbox.has_deliveries and any(
        sandbox.ends_by_polls(command.task_id)
        for command in batch
        if type(command) is commands.ReadStatus
    )
