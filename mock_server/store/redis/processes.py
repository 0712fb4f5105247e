"""The processes that use the same Redis. A process is alive as long as it renews its key.

This key is the lease of everything that the process has claimed. It contains the real instant of
the process.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

from mock_server.domain.ports import RealClock
from mock_server.store.redis.client import Command, Reply
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.keys import PROCESSES, process_key

LEASE_MS = 15_000
_RENEWALS = 3  # How often a process renews its key in the time of a lease.
_MAX_HEARTBEATS = 1_000

Send: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Reply]]]


class _Heartbeat(NamedTuple):
    """The last value of a process's key, and when this process saw it first."""

    value: bytes
    since_s: float


class Processes:
    """Knows which processes are alive.

    A process has ended if nobody has renewed its key for the time of a lease. Each process measures
    this time itself: Redis also deletes the key after a lease, but by a clock that may be set.
    """

    def __init__(
        self,
        connection: RedisConnection,
        own: str,
        *,
        clock: RealClock,
        lease_ms: int,
        expiry: Expiry,
    ) -> None:
        self.renew_every_s = lease_ms / 1000 / _RENEWALS
        self._connection = connection
        self.own = own
        self._clock = clock
        self._lease_ms = lease_ms
        self._expiry = expiry
        self._heartbeats: dict[str, _Heartbeat] = {}
        self._trusted_s = self._held_until_s = self._seconds()

    @property
    def holds_lease(self) -> bool:
        """Whether no other process can count this one as ended."""
        return self._seconds() < self._held_until_s

    def joining(self) -> list[Command]:
        """Return the commands that register this process after it has connected.

        For the time of a lease, all other processes count as alive: after an outage of Redis,
        their keys may have expired, and they need time to renew them.
        """
        self._trusted_s = self._held_until_s = self._seconds() + self._lease_ms / 1000
        return self._renewal()

    async def time_of_others(self, send: Send) -> int | None:
        """Return the latest real instant of the other processes, or None if there are none."""
        [members] = await send([("SMEMBERS", PROCESSES)])
        others = sorted({each.decode() for each in members} - {self.own})
        values = await send([("GET", process_key(each)) for each in others]) if others else []
        return max((int(value) for value in values if value and value.isdigit()), default=None)

    async def renew(self) -> None:
        sent_s = self._seconds()
        for reply in await self._connection.send(self._renewal()):
            checked(reply)
        self._held_until_s = sent_s + self._lease_ms / 1000

    async def leave(self) -> None:
        """Remove this process, because it ends."""
        await self._connection.send(
            [
                ("DEL", process_key(self.own)),
                ("SREM", PROCESSES, self.own),
            ]
        )

    async def alive(self, owners: frozenset[str]) -> frozenset[str]:
        """Return those of the given processes that are alive."""
        if not owners:
            return owners
        asked = sorted(owners)
        values = await self._connection.send([("GET", process_key(each)) for each in asked])
        now_s = self._seconds()
        for owner, value in zip(asked, map(checked, values), strict=True):
            self._note(owner, value, now_s)
        if now_s < self._trusted_s:
            return owners
        latest_s = now_s - self._lease_ms / 1000
        return frozenset(
            owner
            for owner in asked
            if owner in self._heartbeats and self._heartbeats[owner].since_s > latest_s
        )

    async def ended(self) -> list[str]:
        """Return the processes that have ended without `leave`, each to one caller only."""
        [members] = await self._connection.send([("SMEMBERS", PROCESSES)])
        known = frozenset(each.decode() for each in checked(members))
        gone = sorted(known - await self.alive(known - {self.own}) - {self.own})
        removed = await self._connection.send([("SREM", PROCESSES, each) for each in gone])
        return [owner for owner, reply in zip(gone, removed, strict=True) if checked(reply)]

    def _note(self, owner: str, value: bytes | None, now_s: float) -> None:
        """Note what the key of a process contains; None if there is no key."""
        known = self._heartbeats.get(owner)
        if value is not None and (known is None or known.value != value):
            self._heartbeats.pop(owner, None)
            self._heartbeats[owner] = _Heartbeat(value, now_s)  # The last one is the newest.
            if len(self._heartbeats) > _MAX_HEARTBEATS:
                del self._heartbeats[next(iter(self._heartbeats))]

    def _renewal(self) -> list[Command]:
        # The value differs each time.
        real_ms = self._clock.now_ns() // 1_000_000
        return [
            ("SADD", PROCESSES, self.own),
            self._expiry.of_shared(PROCESSES),
            ("SET", process_key(self.own), real_ms, "PX", self._lease_ms),
        ]

    def _seconds(self) -> float:
        return self._clock.monotonic_ns() / 1e9
