"""Limit what is in progress, so that no owner delays another one for long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


class FairPlaces:
    """Limits the places of each owner, and of all owners together.

    Requests get places in order. A request first waits for a place of its owner, so at most
    `per_owner` requests of an owner are ahead of those of other owners.
    """

    def __init__(self, total: int, per_owner: int) -> None:
        self._total = asyncio.Semaphore(total)
        self._per_owner = per_owner
        self._owners: dict[str, _Owner] = {}

    @asynccontextmanager
    async def place(self, owner: str) -> AsyncIterator[None]:
        """Wait for a place of this owner, and give it back at the end of the block."""
        await self.acquire(owner)
        try:
            yield
        finally:
            self.release(owner)

    async def acquire(self, owner: str) -> None:
        """Wait for a place of this owner."""
        places = self._owners.setdefault(owner, _Owner(asyncio.Semaphore(self._per_owner)))
        places.users += 1
        try:
            await places.free.acquire()
        except BaseException:
            self._leave(owner)
            raise
        try:
            await self._total.acquire()
        except BaseException:
            places.free.release()
            self._leave(owner)
            raise

    def release(self, owner: str) -> None:
        """Give a place back."""
        self._total.release()
        self._owners[owner].free.release()
        self._leave(owner)

    def _leave(self, owner: str) -> None:
        places = self._owners[owner]
        places.users -= 1
        if places.users == 0:
            del self._owners[owner]


@dataclass(slots=True)
class _Owner:
    free: asyncio.Semaphore
    users: int = 0
