"""Put right what processes that have ended had not written yet.

A process may end between any two round trips. So the number of tasks of a sandbox may be too old in
Redis, and so may be the instant at which somebody must look at it. Another process loads the
sandboxes that the ended one may have used last, and writes both. Only then are the places free that
the ended process had reserved.

Several processes may do this at the same time, and a process that has seemed to be ended may still
run: each account is removed only if it is still as it was read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from mock_server.domain.errors import SandboxDamaged
from mock_server.store.redis.accounts import (
    ProcessAccount,
    SandboxAccount,
    accounts_in,
    remove_process,
    remove_sandbox,
)
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.expiry import LONGEST_PAUSE_MS
from mock_server.store.redis.keys import PLACES, RECOUNTED, SANDBOXES, SandboxKeys
from mock_server.store.redis.places import Places
from mock_server.store.redis.processes import Processes
from mock_server.store.redis.replica import Replica

EVERY_S = 300.0
# `sandboxes` may be older than the last use by one pause between renewals, and by a little more.
_MARGIN_MS = 2 * LONGEST_PAUSE_MS
_AT_ONCE = 100


class Recount:
    """Checks the accounts of all processes and sandboxes.

    `synced` returns an up-to-date replica, or None if there is no such sandbox.
    """

    def __init__(
        self,
        connection: RedisConnection,
        places: Places,
        processes: Processes,
        synced: Callable[[str], Awaitable[Replica | None]],
    ) -> None:
        self._connection = connection
        self._places = places
        self._processes = processes
        self._synced = synced
        self.is_needed = False  # Because a process has ended.

    async def run_in_turn(self) -> None:
        """Check the accounts, unless another process has done so a short time ago."""
        period_ms = int(EVERY_S * 1000 / 2)
        [is_turn] = await self._connection.send([("SET", RECOUNTED, "", "NX", "PX", period_ms)])
        if checked(is_turn) is not None:
            await self.run()

    async def run(self) -> None:
        """Check the accounts now."""
        [reply] = await self._connection.send([("HGETALL", PLACES)])
        processes, sandboxes = accounts_in(checked(reply))
        ended = await self._ended(processes)
        if ended:
            await self._check_sandboxes(min(each.settled_ms for each in ended) - _MARGIN_MS)
            await self._connection.send([remove_process(each.process, each.raw) for each in ended])
        await self._remove_orphans(sandboxes)
        self.is_needed = False

    async def _ended(self, processes: Sequence[ProcessAccount]) -> list[ProcessAccount]:
        owners = frozenset(each.process for each in processes)
        alive = await self._processes.alive(owners - {self._processes.own})
        return [each for each in processes if each.process not in alive | {self._processes.own}]

    async def _check_sandboxes(self, since_ms: int) -> None:
        """Write what Redis should know of all sandboxes that were used since an instant."""
        [ids] = await self._connection.send([("ZRANGE", SANDBOXES, since_ms, "+inf", "BYSCORE")])
        used = [each.decode() for each in checked(ids)]
        for start in range(0, len(used), _AT_ONCE):
            checks = map(self._check_sandbox, used[start : start + _AT_ONCE])
            for outcome in await asyncio.gather(*checks, return_exceptions=True):
                # A damaged sandbox must not keep the others from being checked.
                if isinstance(outcome, BaseException) and not isinstance(outcome, SandboxDamaged):
                    raise outcome
            await self._places.settle()

    async def _check_sandbox(self, sandbox_id: str) -> None:
        replica = await self._synced(sandbox_id)
        if replica is not None:
            self._places.note_count(replica)
            replica.is_due_open = True  # The next round trip writes when to look at it.
            await self._synced(sandbox_id)

    async def _remove_orphans(self, accounts: Sequence[SandboxAccount]) -> None:
        """Remove the accounts of sandboxes that do not exist."""
        for start in range(0, len(accounts), _AT_ONCE):
            some = accounts[start : start + _AT_ONCE]
            replies = await self._connection.send(
                [("EXISTS", SandboxKeys(each.sandbox_id).meta) for each in some]
            )
            for each, exists in zip(some, map(checked, replies), strict=True):
                if not exists:
                    await self._connection.send([remove_sandbox(each.sandbox_id, each.raw)])
