"""Move the clock of a sandbox from one due callback to the next (`advance`).

Only one process moves a clock at a time: it holds the clock, and the others get no callbacks of
this sandbox until it releases it. Two calls that come at once take turns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

from mock_server.domain.clock import LATEST_MS
from mock_server.domain.commands import HoldClock, MoveClock, ReleaseClock
from mock_server.domain.dispatching import Advanced, DeliveryAttempt, InstantTooLate
from mock_server.domain.errors import SandboxMissing
from mock_server.domain.store import SandboxReader, Store
from mock_server.runtime.activity import Activity, AttemptJob

POLL_S = 0.05
"""How often a process looks whether another one has finished."""


class ClockWalk:
    """Moves one clock once. `start_due` starts the due attempts, which `activity` then contains.

    Everything raises SandboxDropped or SandboxMissing if the state of the sandbox is dropped.
    """

    def __init__(
        self,
        store: Store,
        sandbox_id: str,
        activity: Activity,
        *,
        start_due: Callable[[], Awaitable[Collection[AttemptJob]]],
        real_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._sandbox_id = sandbox_id
        self._activity = activity
        self._start_due = start_due
        self._real_ms = real_ms

    async def advance(self, by_ms: int) -> Advanced:
        """Move the clock, and wait for all attempts that become due. Raises InstantTooLate."""
        from_ms = await self._take_clock()
        try:
            if from_ms + by_ms > LATEST_MS:
                raise InstantTooLate
            fired = await self._walk(from_ms + by_ms)
        finally:
            if not self._activity.is_dropped:
                await self._release_clock()
        return Advanced(from_ms=from_ms, now_ms=from_ms + by_ms, fired=fired)

    async def _walk(self, until_ms: int) -> list[DeliveryAttempt]:
        await self._wait_for_attempts()
        fired: list[DeliveryAttempt] = []
        while True:
            due_ms = (await self._sandbox()).next_due_ms()
            if due_ms is None or due_ms > until_ms:
                break
            await self._move_to(due_ms)
            jobs = await self._start_due()
            await self._wait_for(jobs)
            fired += [done for job in jobs if (done := job.result()) is not None]
        await self._move_to(until_ms)
        return fired

    async def _take_clock(self) -> int:
        """Hold the clock and return its instant; wait while another process holds it."""
        owner = self._store.owner
        while True:
            hold = HoldClock(real_ms=self._real_ms(), owner=owner)
            from_ms = await self._store.execute(self._sandbox_id, hold)
            self._activity.check()
            if from_ms is not None:
                return from_ms
            await self._until(lambda sandbox: sandbox.clock_holder in {None, owner})

    async def _move_to(self, instant_ms: int) -> None:
        """Move the clock; take it again first if it was taken from this process.

        That happens if the process was suspended for so long that its lease expired.
        """
        owner = self._store.owner
        move = MoveClock(real_ms=self._real_ms(), instant_ms=instant_ms, owner=owner)
        while not await self._store.execute(self._sandbox_id, move):
            self._activity.check()
            await self._take_clock()
            await self._wait_for_attempts()
        self._activity.check()

    async def _release_clock(self) -> None:
        release = ReleaseClock(real_ms=self._real_ms(), owner=self._store.owner)
        with suppress(SandboxMissing):
            await self._store.execute(self._sandbox_id, release)

    async def _wait_for_attempts(self) -> None:
        """Wait for the attempts that began before, in this process and in others."""
        await self._wait_for(self._activity.attempts)
        owner = self._store.owner
        await self._until(lambda sandbox: sandbox.claim_owners() <= {owner})

    async def _until(self, is_true: Callable[[SandboxReader], bool]) -> None:
        """Wait until another process has changed the sandbox; if it ends, the store releases it."""
        while True:
            if is_true(await self._sandbox()):
                return
            await asyncio.sleep(POLL_S)

    async def _wait_for(self, jobs: Collection[AttemptJob]) -> None:
        """Wait until these attempts have ended.

        Another process may drop the sandbox meanwhile. If there can be one, look for that.
        """
        pending = set(jobs)
        while pending:
            poll_s = None if self._store.is_immediate else POLL_S
            _, pending = await asyncio.wait(pending, timeout=poll_s)
            if pending:
                await self._sandbox()
        self._activity.check()

    async def _sandbox(self) -> SandboxReader:
        sandbox = await self._store.read(self._sandbox_id)
        self._activity.check()
        if sandbox is None:
            raise SandboxMissing(f"there is no sandbox {self._sandbox_id}")
        return sandbox
