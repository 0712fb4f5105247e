"""The limit of all tasks over all processes: each task needs one of `max_tasks` places.

A process reserves places for itself in advance, and a task that it adds uses one of them. The place
stays reserved until Redis has the new number of tasks of the sandbox (`accounts`). So a place is
never free while a task may use it, whenever a process ends. If it ends before it has written a
number, `recount` does so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from mock_server.domain.errors import SandboxDamaged
from mock_server.domain.ports import RealClock
from mock_server.store.redis.accounts import (
    Reservation,
    TaskCount,
    account,
    remove_process,
    remove_sandbox,
)
from mock_server.store.redis.client import Command, Reply
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.processes import Processes
from mock_server.store.redis.replica import Replica

_PART = 1000  # A process reserves a thousandth of all places at once, at least one.
_MAX_CHUNK = 1000
_MAX_COUNTS = 500  # That one script writes; Redis does nothing else in the meantime.
_DOUBT_MS = 15_000  # Much longer than Redis may take to execute a command that was sent.

Send: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Reply]]]


class _Unsettled(NamedTuple):
    """A number of tasks that Redis does not have yet, and the places that are reserved for it."""

    number: TaskCount
    places: int


class _Doubt(NamedTuple):
    """Places of commands whose outcome is unknown."""

    places: int
    since_ms: int


class Places:
    """The places that this process has reserved. `ttl_ms` is the time to live of all accounts."""

    def __init__(
        self,
        connection: RedisConnection,
        processes: Processes,
        max_tasks: int,
        *,
        clock: RealClock,
        ttl_ms: int,
    ) -> None:
        self._connection = connection
        self._processes = processes
        self._max_tasks = max_tasks
        self._clock = clock
        self._ttl_ms = ttl_ms
        self._chunk = max(1, min(max_tasks // _PART, _MAX_CHUNK))
        self.waiting = 0  # Submits that wait for a place.
        self._free = 0
        self._taken = 0  # By commands whose outcome is not known yet.
        self._unsettled: dict[str, _Unsettled] = {}
        self._doubts: dict[str, _Doubt] = {}
        self._others = 0  # What other processes had reserved at the last account.
        self._dropped = 0  # Tasks that were dropped since the last account.
        self._is_urgent = False
        self._lock = asyncio.Lock()

    @property
    def _kept(self) -> int:
        """How many free places this process keeps. Other processes may need the rest."""
        return max(self.waiting, self._chunk if self._chunk > 1 else 0)

    @property
    def may_become_free(self) -> bool:
        """Whether other processes hold places that they need for a moment only.

        A place may count twice for a moment: as reserved, and as the task that uses it. If
        processes reserve some in advance, they keep them, and nobody waits for that.
        """
        return self._chunk == 1 and self._others > 0

    def take(self) -> bool:
        """Take a place that this process has reserved, if there is one.

        After its lease, other processes may have freed the places of this one.
        """
        if not (self._free and self._processes.holds_lease):
            return False
        self._free -= 1
        self._taken += 1
        return True

    async def take_up_to(self, count: int) -> int:
        """Take places, and reserve some before if necessary; return how many there were."""
        if not self._processes.holds_lease:
            await self._processes.renew()
            await self._account(0)
        # Meanwhile, others may take places that were free. Only Redis can tell that there are none.
        while self._free < count:
            if not await self._account(max(count, self._chunk, self.waiting)):
                break
        taken = min(count, self._free)
        self._free -= taken
        self._taken += taken
        return taken

    def give_back(self, count: int) -> None:
        """Keep places that were taken and that no task uses, or release them."""
        self._taken -= count
        self._free += count
        self._is_urgent |= self._free > self._kept

    def note_result(self, replica: Replica, added: int, taken: int) -> None:
        """Note how many tasks were added by commands for which places were taken, if any."""
        used = max(0, added)
        if taken:
            self._taken -= used
            self.give_back(taken - used)
        if added:
            self.note_count(replica, used)
            self._dropped += max(0, -added)
            # With chunks of one place, no process may keep a place longer than it needs it.
            self._is_urgent |= added < 0 or self._chunk == 1

    def note_count(self, replica: Replica, places: int = 0) -> None:
        """Note the number of tasks that a sandbox has now, for which `places` are reserved."""
        sandbox = replica.sandbox
        earlier = self._unsettled.get(sandbox.id)
        count = TaskCount(replica.last_raw, sandbox.task_count)
        reserved = places + (0 if earlier is None else earlier.places)
        self._unsettled[sandbox.id] = _Unsettled(count, reserved)

    def note_doubt(self, sandbox_id: str, taken: int) -> None:
        """Note that the outcome of commands is unknown: their places stay reserved for a while."""
        self._taken -= taken
        earlier = self._doubts.get(sandbox_id, _Doubt(0, 0))
        self._doubts[sandbox_id] = _Doubt(earlier.places + taken, self._now_ms())

    async def write(self) -> None:
        """Write changes for which other processes may be waiting."""
        if self._is_urgent:
            self._is_urgent = False
            wanted = max(self.waiting, min(self._dropped, self._kept))
            self._dropped = 0
            await self._account(wanted)

    async def renew(self, synced: Callable[[str], Awaitable[Replica | None]]) -> None:
        """Write all numbers of tasks, and find out the outcomes that were unknown."""
        latest_ms = self._now_ms() - _DOUBT_MS
        for sandbox_id, doubt in list(self._doubts.items()):
            if doubt.since_ms > latest_ms:
                continue
            try:
                replica = await synced(sandbox_id)
            except SandboxDamaged:  # Nobody can use its tasks.
                replica = None
            if self._doubts.get(sandbox_id) != doubt:
                continue
            del self._doubts[sandbox_id]
            self._free += doubt.places
            if replica is not None:
                self.note_count(replica)
        await self._account(0)

    async def settle(self) -> None:
        """Write all numbers of tasks."""
        await self._account(0)

    async def join(self, send: Send, replicas: Iterable[Replica]) -> None:
        """Open the account of this process after each connection.

        Redis may have lost the last things that were written, so the numbers are written again.
        """
        for replica in replicas:
            self.note_count(replica)
        if not self._lock.locked():  # Otherwise, that account waits for this connection.
            async with self._lock:
                await self._write(0, send)

    def forget(self) -> None:
        """Begin without any place, because Redis has lost its data."""
        self._free = 0
        self._unsettled.clear()

    async def free_sandbox(self, sandbox_id: str) -> None:
        """Free the places of a sandbox that does not exist any more."""
        self._unsettled.pop(sandbox_id, None)
        await self._connection.send([remove_sandbox(sandbox_id)])

    async def leave(self) -> None:
        """Free the places that this process has reserved, unless tasks may use them."""
        await self._account(0)
        if not (self._doubts or self._taken):
            self._free = 0
            await self._connection.send([remove_process(self._processes.own)])

    async def _account(self, wanted: int) -> bool:
        """Write numbers of tasks, and reserve places until so many are free.

        Return False if there were not so many.
        """
        async with self._lock:
            while len(self._unsettled) > _MAX_COUNTS:
                await self._write(0, self._connection.send)
            return await self._write(wanted, self._connection.send)

    async def _write(self, wanted: int, send: Send) -> bool:
        more = max(0, wanted - self._free)
        if not more:
            self._free = min(self._free, max(wanted, self._kept))
        settled = dict(islice(self._unsettled.items(), _MAX_COUNTS))
        for sandbox_id in settled:
            del self._unsettled[sandbox_id]
        needed = self._free + self._taken + sum(each.places for each in self._unsettled.values())
        needed += sum(each.places for each in self._doubts.values())
        oldest_ms = min((each.since_ms for each in self._doubts.values()), default=self._now_ms())
        command = account(
            self._processes.own,
            needed,
            more,
            {sandbox_id: each.number for sandbox_id, each in settled.items()},
            limit=self._max_tasks,
            settled_ms=min(oldest_ms, self._now_ms()),
            ttl_ms=self._ttl_ms,
        )
        try:
            [reply] = await send([command])
            reservation = Reservation.of(checked(reply))
        except BaseException:
            for sandbox_id, each in settled.items():
                self._restore(sandbox_id, each)
            raise
        self._free = max(0, self._free + reservation.granted - needed)
        self._others = reservation.others
        return reservation.granted == needed + more

    def _restore(self, sandbox_id: str, unwritten: _Unsettled) -> None:
        """Keep a number that could not be written, unless there is a later one."""
        later = self._unsettled.get(sandbox_id)
        if later is None:
            self._unsettled[sandbox_id] = unwritten
        else:
            places = later.places + unwritten.places
            self._unsettled[sandbox_id] = _Unsettled(later.number, places)

    def _now_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000
