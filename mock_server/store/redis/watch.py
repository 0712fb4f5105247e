"""Continue with the callbacks of processes that have ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.ports import RealClock
from mock_server.domain.store import Store
from mock_server.store.dead_owners import release_dead
from mock_server.store.redis.due import DueInstants
from mock_server.store.redis.processes import Processes
from mock_server.store.redis.replica import Replica

log = logging.getLogger("mock_server.store")

Wake = Callable[[str], None]


class Watch:
    """Wakes the dispatcher of this process for callbacks that no other process delivers."""

    def __init__(
        self,
        store: Store,
        due: DueInstants,
        processes: Processes,
        sync: Callable[[str], Awaitable[Replica | None]],
        clock: RealClock,
    ) -> None:
        self._store = store
        self._due = due
        self._processes = processes
        self._sync = sync
        self._clock = clock
        self.wake: Wake = _wake_nobody

    async def look(self) -> None:
        """Look at every sandbox that is overdue."""
        overdue = await self._due.overdue()
        looks = await asyncio.gather(*map(self._look_at, overdue), return_exceptions=True)
        for sandbox_id, outcome in zip(overdue, looks, strict=True):
            if isinstance(outcome, StoreUnavailable):
                raise outcome
            if isinstance(
                outcome, Exception
            ):  # The other sandboxes must be looked at nevertheless.
                log.error("cannot look at the sandbox %s", sandbox_id, exc_info=outcome)

    async def _look_at(self, sandbox_id: str) -> None:
        real_ms = self._clock.now_ns() // 1_000_000
        await release_dead(self._store, sandbox_id, self._processes.alive, real_ms=real_ms)
        replica = await self._sync(sandbox_id)
        if replica is None:
            await self._due.forget(sandbox_id)
            return
        sandbox = replica.sandbox
        if sandbox.real_wait_s(sandbox.next_due_ms(), real_ms) == 0:
            self.wake(sandbox_id)
        replica.is_due_open = True  # The next round trip writes when to look again.
        await self._sync(sandbox_id)


def _wake_nobody(sandbox_id: str) -> None:
    """Do nothing: a store without a dispatcher delivers no callbacks."""
