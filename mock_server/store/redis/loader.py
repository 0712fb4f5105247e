"""Load a sandbox from Redis: its last checkpoint, and the log behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from redis.exceptions import ResponseError

from mock_server.domain.commands import Command
from mock_server.domain.errors import DamagedLog, NewerFormat, SandboxDamaged, StoreUnavailable
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.store.redis.client import Reply
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.keys import EPOCH, TRIMMED, SandboxKeys
from mock_server.store.redis.log import EntryId, LogEntry, page, read_from
from mock_server.store.redis.replica import CommandObserver, OwnBatch, Replica

_FIRST = b"0-0"
_TRIES = 5
_PAUSE_S = 0.02
_SLICE_S = 0.005  # The longest time for which loading blocks the event loop.


class Loader:
    """Loads replicas whose models and messages are those of the `template`."""

    def __init__(
        self,
        connection: RedisConnection,
        template: Callable[[], SandboxTemplate],
        applied: CommandObserver,
    ) -> None:
        self._connection = connection
        self._template = template
        self._applied = applied
        self._working = asyncio.Lock()

    async def load(self, sandbox_id: str, own: OwnBatch | None = None) -> Replica | None:
        """Return the sandbox as it is now, or None if there is none.

        `own` is a batch of this process whose outcomes are not known yet. If a checkpoint already
        includes the batch, they stay unknown. Raises StoreUnavailable.
        """
        try:
            return await self._load(sandbox_id, own)
        except (DamagedLog, NewerFormat, ResponseError) as error:
            raise self.unreadable(sandbox_id, error) from error

    def unreadable(
        self, sandbox_id: str, error: DamagedLog | NewerFormat | ResponseError
    ) -> StoreUnavailable:
        """Return the error of a log or checkpoint that this process cannot read.

        A process that finds a newer format stops using Redis, instead of guessing.
        """
        if isinstance(error, NewerFormat):
            return self._connection.refuse(f"a newer version of the mock uses this Redis: {error}")
        return SandboxDamaged(
            sandbox_id,
            f"the sandbox {sandbox_id} in Redis is damaged ({error}); DELETE /_mock/sandbox begins"
            " it anew, unless you can restore the data of Redis",
        )

    async def _load(self, sandbox_id: str, own: OwnBatch | None) -> Replica | None:
        keys = SandboxKeys(sandbox_id)
        epoch = 0
        for _ in range(_TRIES):
            checkpoints, scores = await self._send(
                ("XREVRANGE", keys.checkpoints, "+", "-", "COUNT", 1),
                ("ZMSCORE", keys.meta, EPOCH, TRIMMED),
            )
            found_epoch = page([], scores).epoch
            if found_epoch is None:
                return None
            epoch = found_epoch
            async with self._turn():
                replica = self._of_checkpoint(sandbox_id, keys, epoch, checkpoints)
            found = await self._read_log(keys, epoch, replica, own)
            if found is not None:
                return found
            await asyncio.sleep(_PAUSE_S)  # Another process may be removing or creating it.
        await self._remove_remains(keys, epoch)
        return None

    async def _read_log(
        self, keys: SandboxKeys, epoch: int, replica: Replica | None, own: OwnBatch | None
    ) -> Replica | None:
        """Return the replica after the last entry; None if the log does not continue from it."""
        first = _FIRST if replica is None else replica.last_raw
        is_full = True
        while is_full:
            replies = await self._send(*read_from(keys, first))
            async with self._turn() as turn:
                found = page(*replies)
                if found.epoch != epoch or (
                    replica is not None and found.trimmed_ms > EntryId.of(first).ms
                ):
                    return None
                for entry in found.entries:
                    if replica is None:
                        replica = self._of_first(keys, epoch, entry)
                    elif EntryId.of(entry.raw_id) > replica.last:
                        replica.take(entry, own)
                    await turn.pause()
            if found.entries:
                first = found.entries[-1].raw_id
            is_full = found.is_full
        if replica is not None:
            replica.applied = self._applied
        return replica

    def _of_checkpoint(
        self, sandbox_id: str, keys: SandboxKeys, epoch: int, checkpoints: Reply
    ) -> Replica | None:
        for entry_id, fields in checkpoints:
            try:
                _, of_epoch, _, real_ms, _, state = fields
                found_epoch, found_ms = int(of_epoch), int(real_ms)
            except ValueError as error:
                raise DamagedLog(f"checkpoint {entry_id.decode()} has unknown fields") from error
            if found_epoch == epoch:
                return self._replica(keys, epoch, entry_id, state, found_ms)
        return None

    def _of_first(self, keys: SandboxKeys, epoch: int, entry: LogEntry) -> Replica | None:
        """Return the initial state if this entry of a log contains it."""
        if entry.epoch != epoch or entry.kind != "state":
            return None
        return self._replica(keys, epoch, entry.raw_id, entry.payload, None)

    def _replica(
        self, keys: SandboxKeys, epoch: int, last: bytes, state: bytes, real_ms: int | None
    ) -> Replica:
        sandbox = Sandbox.of_checkpoint(state, self._template())
        return Replica(
            sandbox,
            keys,
            epoch=epoch,
            last=last,
            real_ms=sandbox.used_ms if real_ms is None else real_ms,
            applied=self._applied_while_loading,
        )

    def _applied_while_loading(
        self, sandbox: Sandbox, command: Command[Any], result: Any, *, is_own: bool
    ) -> None:
        if is_own:
            self._applied(sandbox, command, result, is_own=is_own)
        else:
            sandbox.events.clear()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator["_Turn"]:
        """Work alone on a replica: of many loads, one works in each turn of the event loop.

        Otherwise, a list of thousands of sandboxes would block all requests for long.
        """
        async with self._working:
            yield _Turn()
            await asyncio.sleep(0)

    async def _remove_remains(self, keys: SandboxKeys, epoch: int) -> None:
        """Remove a sandbox of which Redis has evicted a part, unless it is a new one by now."""
        [scores] = await self._send(("ZMSCORE", keys.meta, EPOCH, TRIMMED))
        if page([], scores).epoch == epoch:
            await self._send(("DEL", *keys.all))

    async def _send(self, *commands: Any) -> list[Reply]:
        return [checked(reply) for reply in await self._connection.send(commands)]


class _Turn:
    """Lets other requests be served in between."""

    def __init__(self) -> None:
        self._time = asyncio.get_running_loop().time
        self._ends_s = self._time() + _SLICE_S

    async def pause(self) -> None:
        """Let the event loop do other work if this work has taken long enough."""
        if self._time() >= self._ends_s:
            await asyncio.sleep(0)
            self._ends_s = self._time() + _SLICE_S


def unknown_outcome() -> StoreUnavailable:
    """Return the error of a command that was sent and whose outcome is unknown."""
    return StoreUnavailable("Redis has lost the log of this sandbox; the outcome is unknown")
