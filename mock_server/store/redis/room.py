"""Make room for tasks at the limit: the tasks that ended first are dropped, of any sandbox."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from heapq import nsmallest
from operator import itemgetter
from typing import NamedTuple

from mock_server.domain.commands import DropTask, NoticeEnds, Restore
from mock_server.domain.errors import NoRoom, SandboxMissing
from mock_server.store.redis.places import Places
from mock_server.store.redis.pump import Pump
from mock_server.store.redis.replica import Replica

_MAX_REMEMBERED = 10_000
_TRIES = 3
_PAUSE_S = 0.005


class _EndedTask(NamedTuple):
    end_ms: int
    ordinal: int
    task_id: str
    replica: Replica


class Room:
    def __init__(
        self, places: Places, pump: Pump, replicas: Callable[[], Awaitable[Sequence[Replica]]]
    ) -> None:
        self._places = places
        self._pump = pump
        self._replicas = replicas  # Returns replicas of all sandboxes in Redis.
        self._ended: list[_EndedTask] = []  # The task to drop next is the last one.
        self._lock = asyncio.Lock()

    async def take(self, real_ms: int) -> bool:
        """Take a place for a task; return False if there is none and no task has ended."""
        return self._places.take() or await self._make(real_ms)

    async def take_for(self, replica: Replica, restore: Restore) -> int:
        """Take the places that a snapshot needs in addition, and return their number.

        Raises NoRoom if there are not so many.
        """
        await self._pump.sync(replica)  # Other processes may have added or dropped tasks.
        needed = max(0, len(restore.snapshot.tasks) - replica.sandbox.task_count)
        taken = 0
        async with self._lock:
            try:
                taken = await self._places.take_up_to(needed)
                if taken < needed:
                    await self._search_for(needed - taken, replica, restore.real_ms)
                while taken < needed:
                    if not await self._drop_one(restore.real_ms):
                        raise _no_room()
                    taken += 1
            except NoRoom:
                self._places.give_back(taken)
                await self._places.write()  # Other processes can use them at once.
                raise
            except BaseException:
                self._places.give_back(taken)
                raise
        return needed

    async def _search_for(self, count: int, spared: Replica, real_ms: int) -> None:
        """Find tasks to drop, but none of the `spared` sandbox. Raises NoRoom if there are few."""
        self._ended = [each for each in await self._search(real_ms) if each.replica is not spared]
        if len(self._ended) < count:
            raise _no_room()

    async def _make(self, real_ms: int) -> bool:
        self._places.waiting += 1
        try:
            async with self._lock:
                return (
                    await self._take_one()
                    or await self._drop_one(real_ms)
                    or await self._wait_for_one()
                )
        finally:
            self._places.waiting -= 1

    async def _wait_for_one(self) -> bool:
        """Take a place that another process returns soon, if there is one."""
        for _ in range(_TRIES):
            if not self._places.may_become_free:
                return False
            await asyncio.sleep(_PAUSE_S)
            if await self._take_one():
                return True
        return False

    async def _take_one(self) -> bool:
        return await self._places.take_up_to(1) == 1

    async def _drop_one(self, real_ms: int) -> bool:
        """Drop the task that ended first and take its place."""
        is_searched = False
        while True:
            if not self._ended:
                if is_searched:
                    return False
                is_searched = True
                self._ended = await self._search(real_ms)
                continue
            ended = self._ended.pop()
            if not ended.replica.sandbox.has_task(ended.task_id):
                continue
            drop = DropTask(real_ms=real_ms, task_id=ended.task_id)
            try:
                await self._pump.execute(ended.replica, drop)
            except SandboxMissing:
                continue
            if await self._take_one():
                return True

    async def _search(self, real_ms: int) -> list[_EndedTask]:
        replicas = await self._replicas()
        notice = NoticeEnds(real_ms=real_ms)
        await asyncio.gather(
            *(self._pump.execute(replica, notice) for replica in replicas), return_exceptions=True
        )
        # The first items are equal if a task is in two sandboxes, and replicas cannot be compared.
        first = nsmallest(_MAX_REMEMBERED, _all_ended(replicas, real_ms), key=itemgetter(0, 1, 2))
        return first[::-1]


def _no_room() -> NoRoom:
    return NoRoom("Task limit reached (--max-tasks): the snapshot has too many tasks.")


def _all_ended(replicas: Sequence[Replica], real_ms: int) -> Iterator[_EndedTask]:
    for replica in replicas:
        for task in replica.sandbox.tasks(real_ms)[0]:
            if task.is_settled and task.end_ms is not None:
                yield _EndedTask(task.end_ms, task.ordinal, task.id, replica)
