"""Move the clock of a sandbox from one due callback to the next (`advance`).

Only one process moves a clock at a time: it holds the clock, and the others get no callbacks of
this sandbox until it releases it. Two calls that come at once take turns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress

from mock_server.domain.clock import LATEST_MS
from mock_server.domain.commands import HoldClock, MoveClock, ReleaseClock
from mock_server.domain.deliveries import RETRY_AFTER_MS
from mock_server.domain.dispatching import Advanced, DeliveryAttempt, InstantTooLate
from mock_server.domain.errors import SandboxMissing
from mock_server.domain.store import SandboxReader, Store
from mock_server.runtime.activity import Activity
from mock_server.runtime.attempt_job import AttemptJob

POLL_S = 0.05
"""How often a process looks whether another one has finished."""

_PATIENCE_S = 1.0
"""How long a receiver may take before callbacks to other URLs no longer wait for it."""


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
        start_due: Callable[[], Awaitable[Sequence[AttemptJob]]],
        real_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._sandbox_id = sandbox_id
        self._activity = activity
        self._start_due = start_due
        self._real_ms = real_ms
        self._slow: set[AttemptJob] = set()  # The walk no longer waits for these.

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
        jobs: list[AttemptJob] = []
        while True:
            due_ms = (await self._sandbox()).next_due_ms()
            if due_ms is None or due_ms > until_ms or due_ms >= self._horizon_ms():
                if not self._slow:
                    break
                await self._wait_for(self._slow)
                self._slow.clear()
                continue
            await self._move_to(due_ms)
            started = await self._start_due()
            jobs += started
            await self._wait_patiently(started or list(self._activity.attempts), until_ms)
        await self._move_to(until_ms)
        return [job.result for job in jobs if job.result is not None]

    async def _wait_patiently(self, started: Sequence[AttemptJob], until_ms: int) -> None:
        """Wait for attempts; for slow ones only if there is nothing else to do."""
        slow_urls = {job.due.url for job in self._slow}
        awaited = [job for job in started if job.due.url not in slow_urls]
        pending = await self._wait_for(awaited, _PATIENCE_S)
        slow = self._slow.union(started).intersection(self._activity.attempts)
        if pending and not await self._may_overtake(slow, until_ms):
            await self._wait_for(slow)
            slow = set()
        self._slow = slow

    async def _may_overtake(self, slow: Collection[AttemptJob], until_ms: int) -> bool:
        """Return whether a callback to another URL is due, and need not wait for slow ones."""
        sandbox = await self._sandbox()
        if sandbox.has_rules:
            return False
        urls = {job.due.url for job in slow}
        return any(
            delivery.due_ms is not None and delivery.due_ms <= until_ms and delivery.url not in urls
            for delivery in sandbox.deliveries()
        )

    def _horizon_ms(self) -> int:
        """Return the first instant at which a slow attempt may be made again."""
        return min((_retry_ms(job) for job in self._slow), default=LATEST_MS + 1)

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

    async def _wait_for(self, jobs: Collection[AttemptJob], timeout_s: float | None = None) -> bool:
        """Wait until these attempts have ended; return whether some have not after `timeout_s`.

        If other processes share the store, one of them may drop the sandbox, so check for that.
        """
        loop = asyncio.get_running_loop()
        end_s = None if timeout_s is None else loop.time() + timeout_s
        while True:
            poll_s = None if end_s is None else max(end_s - loop.time(), 0)
            if not self._store.is_immediate:
                poll_s = POLL_S if poll_s is None else min(poll_s, POLL_S)
            has_ended = await self._activity.wait_for(jobs, poll_s)
            self._activity.check()
            if has_ended:
                return False
            if end_s is not None and loop.time() >= end_s:
                return True
            await self._sandbox()

    async def _sandbox(self) -> SandboxReader:
        sandbox = await self._store.read(self._sandbox_id)
        self._activity.check()
        if sandbox is None:
            raise SandboxMissing(f"there is no sandbox {self._sandbox_id}")
        return sandbox


def _retry_ms(job: AttemptJob) -> int:
    """Return when an attempt is made again if it fails."""
    number = job.due.attempt
    if number > len(RETRY_AFTER_MS):
        return LATEST_MS + 1
    return job.due.at_ms + RETRY_AFTER_MS[number - 1]
