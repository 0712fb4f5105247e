"""Send commands to the logs in Redis: one pipeline at a time, for all sandboxes together.

While a pipeline is in progress, further commands wait for the next one. So the more concurrent
requests there are, the more of them share a round trip.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from redis.exceptions import ResponseError

from mock_server.domain.command_codec import encode_commands
from mock_server.domain.commands import Command
from mock_server.domain.errors import (
    DamagedLog,
    DomainError,
    NewerFormat,
    SandboxMissing,
    StoreUnavailable,
)
from mock_server.store.redis.client import Command as RedisCommand
from mock_server.store.redis.client import Reply
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.loader import Loader
from mock_server.store.redis.log import Page, append, page, read_from
from mock_server.store.redis.pending_work import PendingWork
from mock_server.store.redis.replica import OwnBatch, Replica

log = logging.getLogger("mock_server.store")

_READ = 2  # The number of commands of `read_from`.


class Observer(Protocol):
    """Adds commands to round trips, and is notified of what happens to replicas."""

    def commands_before(self, replica: Replica, work: PendingWork) -> list[RedisCommand]:
        """Return commands for Redis that are executed before the commands of a replica."""

    def commands_after(self, replica: Replica, work: PendingWork) -> list[RedisCommand]:
        """Return commands for Redis that are sent after the commands of a replica."""

    def note_applied(self, replica: Replica, work: PendingWork) -> bool:
        """Note that a replica contains everything that was in its log during the round trip.

        Return whether it needs another round trip.
        """

    async def before_results(self) -> None:
        """Do what must be done before the callers get their results."""

    def gone(self, replica: Replica, work: PendingWork) -> None:
        """Forget a replica whose sandbox does not exist any more; the commands had no effect."""

    def failed(self, replica: Replica, work: PendingWork) -> None:
        """Note that it is unknown whether the commands of a replica were appended to its log."""

    def reloaded(self, replica: Replica, last_entry: int, *, is_dropped: bool) -> None:
        """Note that a replica was loaded again; its journal is new after this number.

        With `is_dropped`, later entries that it had before are not there any more.
        """

    def checkpoint_due(self, replica: Replica) -> None:
        """Write a checkpoint of the state that the replica has now."""


class Pump:
    def __init__(self, connection: RedisConnection, loader: Loader, observer: Observer) -> None:
        self._connection = connection
        self._loader = loader
        self._observer = observer
        self._waiting: dict[Replica, PendingWork] = {}
        self._job: asyncio.Task[None] | None = None

    def execute(
        self, replica: Replica, command: Command[Any], *, places: int = 0
    ) -> asyncio.Future[Any]:
        """Append a command to the log; the future gets its result.

        `places` is the number of tasks that it may add; their places have been taken.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        work = self._work_of(replica)
        work.commands.append(command)
        work.places += places
        work.futures.append(future)
        return future

    def sync(self, replica: Replica) -> asyncio.Future[None]:
        """Apply what other processes have appended to the log before this call."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work_of(replica).syncs.append(future)
        return future

    async def aclose(self) -> None:
        """Wait until everything has been sent."""
        if self._job is not None:
            await asyncio.gather(self._job, return_exceptions=True)

    def _work_of(self, replica: Replica) -> PendingWork:
        work = self._waiting.get(replica)
        if work is None:
            work = self._waiting[replica] = PendingWork()
            if self._job is None:
                self._job = asyncio.create_task(self._run())
        return work

    async def _run(self) -> None:
        try:
            while self._waiting:
                # The requests that the last round trip has resumed join the next one.
                await asyncio.sleep(0)
                pending, self._waiting = self._waiting, {}
                await self._send(pending)
        finally:
            # Whatever has ended this job, commands that wait still need a round trip.
            self._job = asyncio.create_task(self._run()) if self._waiting else None

    async def _send(self, pending: dict[Replica, PendingWork]) -> None:
        try:
            await self._round_trip(pending)
        except DomainError as error:
            self._fail(pending, error)
        except Exception as error:
            log.exception("commands could not be sent to Redis")
            self._fail(pending, error)
        except BaseException:
            self._fail(pending, StoreUnavailable("the server has stopped using Redis"))
            raise

    def _fail(self, pending: dict[Replica, PendingWork], error: Exception) -> None:
        for replica, work in pending.items():
            self._observer.failed(replica, work)
            work.fail(error)

    async def _round_trip(self, pending: dict[Replica, PendingWork]) -> None:
        before = [
            command
            for replica, work in pending.items()
            for command in self._observer.commands_before(replica, work)
        ]
        commands, starts = before.copy(), []
        for replica, work in pending.items():
            starts.append(len(commands))
            commands += self._commands(replica, work)
        replies = await self._connection.send_first(commands, first=len(before))
        done = []
        for (replica, work), start in zip(pending.items(), starts, strict=True):
            try:
                await self._apply(replica, work, replies[start : start + 1 + _READ])
                if self._observer.note_applied(replica, work):
                    self.sync(replica).add_done_callback(_retrieve)
            except SandboxMissing as error:
                self._observer.gone(replica, work)
                work.fail(error)
            except (DamagedLog, NewerFormat, ResponseError) as error:
                self._fail({replica: work}, self._loader.unreadable(replica.sandbox.id, error))
            except DomainError as error:
                self._fail({replica: work}, error)
            else:
                done.append(work)
        with suppress(StoreUnavailable):  # The commands are in the log, and their results known.
            await self._observer.before_results()
        for work in done:
            work.settle()

    def _commands(self, replica: Replica, work: PendingWork) -> list[RedisCommand]:
        """Return what appends the commands of a replica, and reads its log."""
        reading = read_from(replica.keys, replica.last_raw)
        reading += self._observer.commands_after(replica, work)
        if not work.commands:
            return reading
        return [append(replica.keys, replica.epoch, encode_commands(work.commands)), *reading]

    async def _apply(self, replica: Replica, work: PendingWork, replies: Sequence[Reply]) -> None:
        """Apply what the log contains now, with the own commands."""
        own = None
        if work.commands:
            own_id, replies = checked(replies[0]), replies[1:]
            if own_id is None:
                raise _missing(replica)
            own = work.own = OwnBatch(own_id, work.commands)
        entries, scores = map(checked, replies[:_READ])
        if self._take_own(replica, entries, scores, own):
            return
        found = page(entries, scores)
        while self._take(replica, found, own):
            if not found.is_full:
                break
            more = await self._connection.send_first(read_from(replica.keys, replica.last_raw))
            found = page(*map(checked, more))
        else:
            await self._reload(replica, own)
        replica.scores = scores

    def _take_own(
        self, replica: Replica, entries: Reply, scores: Reply, own: OwnBatch | None
    ) -> bool:
        """Apply the own commands if the log contains nothing else; return False if it does.

        This is nearly always so, and much cheaper than `_take`, because nothing is decoded.
        """
        if (
            scores != replica.scores
            or len(entries) != (1 if own is None else 2)
            or entries[0][0] != replica.last_raw
        ):
            return False
        if own is not None:
            own_id, fields = entries[1]
            if own_id != own.raw_id:
                return False
            if replica.take_own(own, len(fields[3])):
                self._observer.checkpoint_due(replica)
        return True

    def _take(self, replica: Replica, found: Page, own: OwnBatch | None) -> bool:
        """Apply a page of the log; return False if it does not continue from this replica.

        The page begins with the last entry that was applied. If this entry is missing, the log has
        been trimmed, or Redis has lost the end of it.
        """
        if found.epoch != replica.epoch:
            raise _missing(replica)
        if found.trimmed_ms > replica.last.ms:
            return False
        if not found.entries or found.entries[0].raw_id != replica.last_raw:
            return False
        for entry in found.entries[1:]:
            is_due = replica.take(entry, own)
            if is_due and own is not None and own.raw_id == entry.raw_id:
                self._observer.checkpoint_due(replica)
        return True

    async def _reload(self, replica: Replica, own: OwnBatch | None) -> None:
        loaded = await self._loader.load(replica.sandbox.id, own)
        if loaded is None or loaded.epoch != replica.epoch:
            raise _missing(replica)
        known = replica.sandbox.last_entry
        agreed = replica.replace_by(loaded)
        self._observer.reloaded(replica, agreed, is_dropped=agreed < known)


def _missing(replica: Replica) -> SandboxMissing:
    return SandboxMissing(f"there is no sandbox {replica.sandbox.id}")


def _retrieve(future: asyncio.Future[None]) -> None:
    """Retrieve an error that the next use of the sandbox shows as well."""
    if not future.cancelled():
        future.exception()
