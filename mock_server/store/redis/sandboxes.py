"""The sandboxes in Redis: replicas of them that are up to date, their list, and their removal."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from mock_server.domain.errors import SandboxMissing, StoreUnavailable
from mock_server.store.redis.client import Command
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.keys import DUE, SANDBOXES, SandboxKeys
from mock_server.store.redis.places import Places
from mock_server.store.redis.pump import Pump
from mock_server.store.redis.replica import Replica
from mock_server.store.redis.replicas import Replicas
from mock_server.store.redis.round_trips import RoundTrips

_PORTION = 16  # The sandboxes that are loaded at the same time.
_MAX_REMOVED = 100  # The sandboxes that are removed at once.


class Sandboxes:
    """All sandboxes of the mock, whether or not this process has a replica of them."""

    def __init__(
        self,
        connection: RedisConnection,
        *,
        replicas: Replicas,
        pump: Pump,
        round_trips: RoundTrips,
        places: Places,
        max_sandboxes: int,
    ) -> None:
        self._connection = connection
        self._replicas = replicas
        self._pump = pump
        self._round_trips = round_trips
        self._places = places
        self._max_sandboxes = max_sandboxes

    async def synced(self, sandbox_id: str) -> Replica | None:
        """Return the sandbox with everything that was in its log before this call, or None."""
        # When a replica is gone, another request may have loaded the next one already. A second
        # replica of the same sandbox would tell the followers everything again.
        while (replica := self._replicas.get(sandbox_id)) is not None:
            with suppress(SandboxMissing):
                await self._pump.sync(replica)
                return replica
        return await self._replicas.load(sandbox_id)

    async def all(self) -> list[Replica]:
        """Return replicas of all sandboxes. Other requests are served while they are loaded."""
        left = iter(await self._all_ids())
        replicas = []
        while ids := list(islice(left, _PORTION)):
            replicas += await self.synced_of(ids)
        return replicas

    async def synced_of(self, sandbox_ids: Sequence[str]) -> list[Replica]:
        """Return the sandboxes with these ids that exist and are not damaged, up to date."""
        found = await asyncio.gather(*map(self.synced, sandbox_ids), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException) and not self._is_damage(each):
                raise each
        return [each for each in found if isinstance(each, Replica)]

    async def remove(self, sandbox_id: str) -> None:
        """Remove the sandbox with this id, if there is one."""
        await self._send(
            ("DEL", *SandboxKeys(sandbox_id).all),
            ("ZREM", SANDBOXES, sandbox_id),
            ("ZREM", DUE, sandbox_id),
            first=1,  # A sandbox that exists must be in the list.
        )
        await self._places.free_sandbox(sandbox_id)
        self._replicas.forget(sandbox_id)
        replica = self._replicas.get(sandbox_id)
        if replica is not None:
            self._round_trips.forget(replica)

    async def remove_all(self) -> None:
        for sandbox_id in await self._all_ids():
            await self.remove(sandbox_id)

    async def remove_excess(self, count: int, spared: str) -> None:
        """Remove sandboxes if there are more than allowed: `count`, of which one is spared.

        Those that were unused for longest are removed, and those with live tasks after all others.
        """
        if count <= self._max_sandboxes:
            return
        excess = max(count - self._max_sandboxes, min(_MAX_REMOVED, count // 10))
        [oldest] = await self._send(("ZRANGE", SANDBOXES, 0, excess + _MAX_REMOVED))
        found = await self.synced_of([each.decode() for each in oldest])
        idle = sorted(
            (each.sandbox for each in found if each.sandbox.id != spared),
            key=lambda each: (each.has_live_tasks, each.used_ms),
        )
        for sandbox in idle[:excess]:
            await self.remove(sandbox.id)

    async def remove_expired(self, expired_ms: int) -> None:
        """Remove what is left of sandboxes that were last used before an instant and are gone.

        A damaged one that was not used for so long is removed, too.
        """
        [raw_ids] = await self._send(
            ("ZRANGE", SANDBOXES, "-inf", expired_ms, "BYSCORE", "LIMIT", 0, _MAX_REMOVED)
        )
        ids = [each.decode() for each in raw_ids]
        alive = {each.sandbox.id for each in await self.synced_of(ids)}
        for sandbox_id in ids:
            if sandbox_id not in alive:
                await self.remove(sandbox_id)

    async def _all_ids(self) -> list[str]:
        [ids] = await self._send(("ZRANGE", SANDBOXES, 0, -1))
        return [each.decode() for each in ids]

    def _is_damage(self, error: BaseException) -> bool:
        """Return whether only one sandbox cannot be used; that must not hide all others."""
        return isinstance(error, StoreUnavailable) and self._connection.problem is None

    async def _send(self, *commands: Command, first: int = 0) -> list[Any]:
        return [checked(reply) for reply in await self._connection.send(commands, first=first)]
