"""The processes that use the same Redis. A process is alive as long as it renews its key.

This key is the lease of everything that the process has claimed.
"""

from collections.abc import Callable

from mock_server.store.redis.client import Command
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.keys import PROCESSES, process_key

LEASE_MS = 15_000
_RENEWALS = 3  # How often a process renews its key in the time of a lease.


class Processes:
    """Knows which processes are alive.

    `seconds` returns the time of a clock that never goes back.
    """

    def __init__(
        self,
        connection: RedisConnection,
        own: str,
        *,
        seconds: Callable[[], float],
        lease_ms: int,
        expiry: Expiry,
    ) -> None:
        self.renew_every_s = lease_ms / 1000 / _RENEWALS
        self._connection = connection
        self.own = own
        self._seconds = seconds
        self._lease_ms = lease_ms
        self._expiry = expiry
        self._trusted_s = seconds()
        self._held_until_s = seconds()

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
        if not owners or self._seconds() < self._trusted_s:
            return owners
        asked = sorted(owners)
        replies = await self._connection.send([("EXISTS", process_key(each)) for each in asked])
        return frozenset(
            owner for owner, reply in zip(asked, replies, strict=True) if checked(reply)
        )

    async def ended(self) -> list[str]:
        """Return the processes that have ended without `leave`, each to one caller only."""
        [members] = await self._connection.send([("SMEMBERS", PROCESSES)])
        known = frozenset(each.decode() for each in checked(members))
        gone = sorted(known - await self.alive(known - {self.own}) - {self.own})
        removed = await self._connection.send([("SREM", PROCESSES, each) for each in gone])
        return [owner for owner, reply in zip(gone, removed, strict=True) if checked(reply)]

    def _renewal(self) -> list[Command]:
        return [
            ("SADD", PROCESSES, self.own),
            self._expiry.of_shared(PROCESSES),
            ("SET", process_key(self.own), "", "PX", self._lease_ms),
        ]
