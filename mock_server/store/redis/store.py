"""The store in Redis: all processes that use it are one mock (decision 17)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from secrets import randbits, token_hex
from typing import Any

import msgspec

from mock_server.domain.commands import (
    AnswerStatus,
    Command,
    R,
    RecordExchange,
    ReleaseClaims,
    Restore,
    Submit,
)
from mock_server.domain.errors import SandboxMissing, StoreUnavailable
from mock_server.domain.events import Follower
from mock_server.domain.ports import RealClock
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.server_metrics import ServerMetrics
from mock_server.domain.task import sandbox_id_in
from mock_server.store.journal_bound import MAX_JOURNAL_BYTES
from mock_server.store.redis.address import parse_address
from mock_server.store.redis.checkpoints import Checkpoints
from mock_server.store.redis.client import Command as RedisCommand
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.due import DueInstants
from mock_server.store.redis.events import Events
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.housekeeping import Housekeeping
from mock_server.store.redis.journals import Journals
from mock_server.store.redis.keys import origin_key
from mock_server.store.redis.loader import Loader
from mock_server.store.redis.metrics import SharedMetrics
from mock_server.store.redis.places import Places
from mock_server.store.redis.processes import LEASE_MS, Processes
from mock_server.store.redis.pump import Pump
from mock_server.store.redis.recount import Recount
from mock_server.store.redis.replica import Replica
from mock_server.store.redis.replicas import Replicas
from mock_server.store.redis.room import Room
from mock_server.store.redis.round_trips import RoundTrips
from mock_server.store.redis.sandboxes import Sandboxes
from mock_server.store.redis.server_records import ServerRecords
from mock_server.store.redis.shared_time import SharedTime
from mock_server.store.redis.watch import Watch

MAX_SANDBOXES = 10_000
_SEED_BITS = 32
_TRIES = 5  # To execute a command while other processes remove the sandbox and create it again.


class RedisStore:
    """Implements `domain.store.Store`. `seed` is None if any seed will do."""

    is_immediate = False
    is_durable = True

    def __init__(
        self,
        make_template: Callable[[int], SandboxTemplate],
        address: str,
        *,
        clock: RealClock,
        seed: int | None = None,
        max_tasks: int = 2_000_000,
        max_sandboxes: int = MAX_SANDBOXES,
        max_journal_bytes: int = MAX_JOURNAL_BYTES,
        ttl_ms: int = 7 * 86_400_000,
        lease_ms: int = LEASE_MS,
    ) -> None:
        self.owner = token_hex(8)
        self._clock = clock
        self._events = Events()
        template = make_template(randbits(_SEED_BITS) if seed is None else seed)
        self._expiry = Expiry(ttl_ms, clock)
        shared_ttl_ms = self._expiry.shared_ttl_ms
        self._servers = ServerRecords(
            template, is_seed_chosen=seed is not None, ttl_ms=shared_ttl_ms
        )
        connection = self._connection = RedisConnection(parse_address(address), self._hello)
        loader = Loader(connection, lambda: self._servers.template, self._events.applied)
        self._processes = Processes(
            connection,
            self.owner,
            clock=clock,
            lease_ms=lease_ms,
            expiry=self._expiry,
        )
        self._time = SharedTime(clock, self._processes)
        self._replicas = Replicas(
            connection,
            loader,
            servers=self._servers,
            expiry=self._expiry,
            time=self._time,
            greet=self._hello,
        )
        self._checkpoints = Checkpoints(connection, self._expiry)
        self._due = DueInstants(connection, clock, self._expiry)
        self._places = Places(
            connection, self._processes, max_tasks, clock=clock, ttl_ms=shared_ttl_ms
        )
        round_trips = RoundTrips(
            replicas=self._replicas,
            events=self._events,
            checkpoints=self._checkpoints,
            expiry=self._expiry,
            due=self._due,
            places=self._places,
            time=self._time,
        )
        self._pump = Pump(connection, loader, round_trips)
        self._sandboxes = Sandboxes(
            connection,
            replicas=self._replicas,
            pump=self._pump,
            round_trips=round_trips,
            places=self._places,
            max_sandboxes=max_sandboxes,
        )
        self._room = Room(self._places, self._pump, self._sandboxes.all)
        self._shared_metrics = SharedMetrics(
            connection, self.owner, self._events.metrics, self._expiry
        )
        synced = self._sandboxes.synced
        self._recount = Recount(connection, self._places, self._processes, synced)
        journals = Journals(self._replicas, self._pump, clock, max_journal_bytes)
        self._watch = Watch(self, self._due, self._processes, synced, clock)
        self._housekeeping = Housekeeping(
            connection,
            processes=self._processes,
            places=self._places,
            recount=self._recount,
            watch=self._watch,
            sandboxes=self._sandboxes,
            replicas=self._replicas,
            journals=journals,
            events=self._events,
            metrics=self._shared_metrics,
            expiry=self._expiry,
        )

    @property
    def problem(self) -> str | None:
        return self._connection.problem

    @property
    def seed(self) -> int:
        return self._servers.template.seed

    @property
    def secret(self) -> bytes:
        return self._servers.secret

    @property
    def metrics(self) -> ServerMetrics:
        return self._events.metrics

    async def total_metrics(self) -> ServerMetrics:
        return await self._shared_metrics.total()

    def when_due(self, wake: Callable[[str], None]) -> None:
        """Call `wake` for each sandbox with callbacks that no other process delivers."""
        self._watch.wake = wake

    async def start(self) -> None:
        await self._connection.start()
        self._housekeeping.start()

    async def aclose(self) -> None:
        await self._housekeeping.aclose()
        if self.problem is None:
            with suppress(StoreUnavailable):  # Without it, the lease ends soon.
                await self._leave()
        await self._pump.aclose()
        await self._checkpoints.aclose()
        await self._connection.aclose()

    def after_persist(self, then: Callable[[StoreUnavailable | None], None]) -> None:
        then(None)

    async def open(
        self, sandbox_id: str, *, is_broke: bool, real_ms: int, is_checked: bool = False
    ) -> Sandbox:
        if is_checked:
            replica = self._replicas.get(sandbox_id)
            if replica is not None and not replica.sandbox.has_rules:
                return replica.sandbox
        while True:
            replica = await self._sandboxes.synced(sandbox_id)
            if replica is not None:
                return replica.sandbox
            count = await self._replicas.begin(sandbox_id, is_broke=is_broke, real_ms=real_ms)
            begun = self._replicas.get(sandbox_id)
            if begun is not None:  # The removed sandbox may have written its number of tasks late.
                self._places.note_count(begun)
            await self._sandboxes.remove_excess(count, sandbox_id)

    def holds(self, sandbox_id: str) -> bool:
        return self._replicas.get(sandbox_id) is not None

    async def read(self, sandbox_id: str) -> Sandbox | None:
        replica = await self._sandboxes.synced(sandbox_id)
        return None if replica is None else replica.sandbox

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        for _ in range(_TRIES):
            await self._connection.check()
            replica = self._replicas.get(sandbox_id) or await self._replicas.load(sandbox_id)
            if replica is None:
                break
            try:
                sent, places = await self._prepared(replica, command)
                result: R = await self._pump.execute(replica, sent, places=places)
            except SandboxMissing:  # The log has another epoch, so the command had no effect.
                continue
            return result
        raise SandboxMissing(f"there is no sandbox {sandbox_id}")

    def follow(self, sandbox_id: str, follower: Follower, *, is_passive: bool = False) -> None:
        self._events.follow(sandbox_id, follower, is_passive=is_passive)

    def unfollow(self, sandbox_id: str, follower: Follower) -> None:
        self._events.unfollow(sandbox_id, follower)

    async def holders(self, task_id: str) -> AsyncIterator[Sandbox]:
        origin = sandbox_id_in(task_id)
        own = await self.read(origin)
        if own is not None and own.has_task(task_id):
            yield own
        [restored] = await self._send(("SMEMBERS", origin_key(origin)))
        for each in sorted(restored):
            sandbox = await self.read(each.decode())
            if sandbox is not None and sandbox.id != origin and sandbox.has_task(task_id):
                yield sandbox

    async def sandboxes(self) -> Sequence[Sandbox]:
        return [replica.sandbox for replica in await self._sandboxes.all()]

    async def remove(self, sandbox_id: str) -> None:
        await self._sandboxes.remove(sandbox_id)

    async def drop_all(self) -> None:
        await self._sandboxes.remove_all()

    async def _hello(self) -> None:
        """Join the mock in Redis, after each connection."""
        instance = self._servers.instance
        await self._time.join(self._connection.send_early)
        await self._connection.send_early(self._processes.joining())
        await self._servers.hello(self._connection.send_early)
        await self._connection.send_early(self._expiry.shared_renewals())
        is_lost = self._servers.instance != instance
        if is_lost:
            self._places.forget()
            self._shared_metrics.forget()
        await self._places.join(
            self._connection.send_early, [] if is_lost else self._replicas.all()
        )

    async def _leave(self) -> None:
        """Release what this process has claimed, and everything that it has reserved."""
        real_ms = self._clock.now_ns() // 1_000_000
        for replica in self._replicas.all():
            if self.owner in replica.sandbox.claim_owners():
                release = ReleaseClaims(real_ms=real_ms, owner=self.owner)
                await asyncio.gather(self._pump.execute(replica, release), return_exceptions=True)
        await self._pump.aclose()
        await self._places.leave()
        await self._shared_metrics.publish()
        await self._shared_metrics.absorb(self.owner)
        await self._processes.leave()

    async def _prepared(self, replica: Replica, command: Command[Any]) -> tuple[Command[Any], int]:
        """Return the command as it is sent, and the number of tasks that it may add."""
        if type(command) is RecordExchange or type(command) is AnswerStatus:
            if replica.note:
                entry = msgspec.structs.replace(command.entry, error=replica.note)
                command, replica.note = msgspec.structs.replace(command, entry=entry), ""
        elif type(command) is Submit:
            if self._places.take() or await self._room.take(command.real_ms):
                return command, 1
            return msgspec.structs.replace(command, has_room=False), 0
        elif type(command) is Restore:
            origin, sandbox_id = command.snapshot.origin, replica.sandbox.id
            if origin != sandbox_id:  # The pictures of its tasks have the id of the origin.
                key = origin_key(origin)
                await self._send(("SADD", key, sandbox_id), self._expiry.of_key(key))
            return command, await self._room.take_for(replica, command)
        return command, 0

    async def _send(self, *commands: RedisCommand) -> list[Any]:
        return [checked(reply) for reply in await self._connection.send(commands)]
