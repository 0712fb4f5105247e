"""The limit of all tasks over all processes: each task needs one of `max_tasks` places.

A process reserves places for itself in advance. It assigns one to a sandbox in the round trip that
appends the submit. The sum of reserved places never exceeds the limit. After a crash, some places
may stay reserved for a while, but there are never too many tasks.
"""

from mock_server.store.redis.client import Command
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.keys import PLACES, TASKS

_PART = 1000  # A process reserves a thousandth of all places at once, at least one.
_MAX_CHUNK = 1000
_MAX_UNWRITTEN = 100


class Places:
    def __init__(self, connection: RedisConnection, process: str, max_tasks: int) -> None:
        self._connection = connection
        self._field = field_of_process(process)
        self._max_tasks = max_tasks
        self._chunk = max(1, min(max_tasks // _PART, _MAX_CHUNK))
        self._free = 0
        self._unwritten: list[Command] = []
        self._is_urgent = False

    def take(self) -> bool:
        """Take a place that this process has reserved, if there is one."""
        if not self._free:
            return False
        self._free -= 1
        return True

    def forget(self) -> None:
        """Begin without any place, because Redis has lost its data."""
        self._free = 0
        self._unwritten.clear()

    async def take_or_reserve(self) -> bool:
        """Take a place, and reserve some before if necessary; return False if all are in use."""
        if not self._free:
            await self._reserve()
        return self.take()

    async def _reserve(self) -> None:
        [total] = await self._connection.send([("INCRBY", TASKS, self._chunk)])
        reserved = self._chunk - max(0, checked(total) - self._max_tasks)
        granted = max(0, reserved)
        commands: list[Command] = [("HINCRBY", PLACES, self._field, granted)]
        if granted < self._chunk:
            commands.append(("DECRBY", TASKS, self._chunk - granted))
        await self._connection.send(commands)
        self._free += granted

    def assign(self, sandbox_id: str, count: int) -> list[Command]:
        """Return the commands that assign taken places to a sandbox, or take them from it."""
        if not count:
            return []
        return [
            ("HINCRBY", PLACES, sandbox_id, count),
            ("HINCRBY", PLACES, self._field, -count),
        ]

    def correct(self, sandbox_id: str, count: int) -> None:
        """Correct what `assign` has assigned, now that the commands were applied."""
        if not count:
            return
        self._unwritten += self.assign(sandbox_id, count)
        self.give_back(-count)

    def give_back(self, count: int) -> None:
        """Keep places that were taken and are not needed; release those above a chunk."""
        self._free += count
        surplus = self._free - (self._chunk if self._chunk > 1 else 0)
        if surplus > 0:  # Other processes may need them.
            self._free -= surplus
            self._unwritten.append(("HINCRBY", PLACES, self._field, -surplus))
            self._unwritten.append(("DECRBY", TASKS, surplus))
            self._is_urgent = True

    async def write(self) -> None:
        """Write corrections if other processes may be waiting for them, or if there are many."""
        if self._is_urgent or len(self._unwritten) > _MAX_UNWRITTEN:
            commands, self._unwritten = self._unwritten, []
            self._is_urgent = False
            await self._connection.send(commands)

    async def release(self, field: str) -> None:
        """Free the places of a sandbox or a process that does not exist any more."""
        held, removed = map(
            checked, await self._connection.send([("HGET", PLACES, field), ("HDEL", PLACES, field)])
        )
        if removed:
            await self._connection.send([("DECRBY", TASKS, int(held))])

    async def leave(self) -> None:
        """Free the places that this process has reserved."""
        self._free = 0
        await self.release(self._field)


def field_of_process(process: str) -> str:
    return f"process:{process}"
