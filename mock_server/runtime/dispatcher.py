"""Start callback attempts when they are due on their sandbox's clock (CB-1 … CB-4).

Normally each sandbox has one timer for its next attempt. `lanes.py` decides which attempt starts
when, so that a slow receiver does not delay others. `advance` moves the clock from one due instant
to the next, and waits for the attempts that it has started.

Several processes may share a sandbox. Each has a timer for it, and the command ClaimDeliveries
decides which of them makes an attempt: there is no attempt without a claim.
"""

import asyncio
import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from mock_server.domain.commands import ReleaseClaims, ReleaseClock, Restore
from mock_server.domain.dispatching import (
    Advanced,
    InstantTooLate,
    SandboxDropped,
)
from mock_server.domain.errors import SandboxMissing, StoreUnavailable
from mock_server.domain.ports import RealClock
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.store import SandboxReader, Store
from mock_server.runtime.activity import Activities, Activity
from mock_server.runtime.callback_attempts import CallbackAttempts
from mock_server.runtime.claimed_attempts import ClaimedAttempts, EarlyDelivery
from mock_server.runtime.clock_walk import POLL_S, ClockWalk
from mock_server.runtime.lanes import LaneLimits, Lanes
from mock_server.runtime.store_outage import RETRY_S
from mock_server.runtime.undelivered import log_undelivered

log = logging.getLogger("mock_server.callbacks")

_LAST_ATTEMPTS_S = 5.0
_HELD_ELSEWHERE_S = 0.5  # How often to look whether another process has released a clock.


class Dispatcher:
    """Implements `domain.dispatching.CallbackDispatcher`; see there for its methods."""

    def __init__(
        self,
        store: Store,
        attempts: CallbackAttempts,
        *,
        clock: RealClock,
        limits: LaneLimits | None = None,
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._outage = attempts.outage
        self._clock = clock
        limits = limits or LaneLimits()
        self._lanes = Lanes(limits)
        self._activities = Activities(
            store, wake=self.wake, drop=self._lanes.drop, max_attempts=limits.claimed
        )
        self._claims = ClaimedAttempts(
            store,
            attempts,
            self._activities,
            self._lanes,
            wake=self.wake,
            real_ms=self._real_ms,
        )
        self._rounds: dict[str, asyncio.Task[None]] = {}
        self._woken: set[str] = set()  # Sandboxes that were woken during a round.
        self._is_closing = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in progress for any sandbox."""
        return not self._activities and not self._rounds

    def wake(self, sandbox_id: str) -> None:
        if self._is_closing:
            return
        if sandbox_id in self._rounds:
            self._woken.add(sandbox_id)
            return
        job = self._rounds[sandbox_id] = asyncio.create_task(self._round(sandbox_id))
        job.add_done_callback(partial(self._round_ended, sandbox_id))

    async def advance(self, sandbox_id: str, by_ms: int) -> Advanced:
        activity = self._activities.of(sandbox_id)
        activity.advances += 1
        try:
            async with activity.clock_lock:
                activity.check()
                async with activity.claim_lock:
                    pass  # A round that has begun ends first. Later rounds see the clock lock.
                walk = ClockWalk(
                    self._store,
                    sandbox_id,
                    activity,
                    start_due=lambda: self._claims.start_due(sandbox_id, is_advance=True),
                    real_ms=self._real_ms,
                )
                advanced = await walk.advance(by_ms)
        except (SandboxDropped, SandboxMissing) as error:
            await self._release_new_clock(sandbox_id)
            raise SandboxDropped from error
        except InstantTooLate:
            self.wake(sandbox_id)
            raise
        except (StoreUnavailable, asyncio.CancelledError):
            activity.expect_unknown_outcome()  # The clock may still be held.
            raise
        finally:
            activity.advances -= 1
            self._activities.tidy(sandbox_id)
        self.wake(sandbox_id)
        return advanced

    async def _release_new_clock(self, sandbox_id: str) -> None:
        """Release the clock if `advance` got that of the new state, just after a drop."""
        activity = self._activities.of(sandbox_id)
        try:
            sandbox = await self._store.read(sandbox_id)
            is_held = sandbox is not None and sandbox.clock_holder == self._store.owner
            if is_held and not activity.advances:  # Otherwise, another call moves it.
                release = ReleaseClock(real_ms=self._real_ms(), owner=self._store.owner)
                await self._store.execute(sandbox_id, release)
        except SandboxMissing:
            return  # It was removed, and nobody holds its clock.
        except (StoreUnavailable, asyncio.CancelledError):
            activity.expect_unknown_outcome()
            raise

    async def deliver_now(self, sandbox_id: str, task_id: str, match: RuleMatch) -> None:
        early = EarlyDelivery(task_id, match)
        try:
            while not await self._deliver_early(sandbox_id, early):  # noqa: ASYNC110  # no event
                await asyncio.sleep(POLL_S)
        finally:
            self._activities.tidy(sandbox_id)

    async def _deliver_early(self, sandbox_id: str, early: EarlyDelivery) -> bool:
        """Start the due attempts and wait for that of the early delivery.

        Return False if it must wait: another process delivers it or holds the clock, or too many
        attempts are in progress.
        """
        jobs = await self._claims.start_due(sandbox_id, early=early)
        activity = self._activities.of(sandbox_id)
        mine = [job for job in jobs if job.due.task.id == early.task_id]
        await activity.wait_for(mine)
        if not mine and not activity.find_room():
            return False
        sandbox = await self._store.read(sandbox_id)
        if sandbox is None:
            return True
        return not self._is_held_elsewhere(sandbox) and not sandbox.claim_of(early.task_id)

    async def restore(self, sandbox_id: str, snapshot: Snapshot) -> None:
        restore = Restore(real_ms=self._real_ms(), snapshot=snapshot)
        await self._store.execute(sandbox_id, restore)
        self.wake(sandbox_id)

    async def aclose(self) -> None:
        """End all attempts and timers.

        A store that is not durable loses the pending callbacks, so they are logged. With a durable
        store, they are sent later. An attempt in progress would then be made again, so this waits
        some seconds for its end.
        """
        self._is_closing = True
        self._lanes.close()
        await _cancel(self._rounds.values())
        await _cancel(task for _, activity in self._activities for task in activity.matching)
        if self._store.is_durable:
            await self._lanes.wait(_LAST_ATTEMPTS_S)
        else:
            await log_undelivered(self._store)
        if self._store.is_durable and self._lanes.running:
            log.warning(
                "callback attempts interrupted by shutdown: %d; they will be made again",
                self._lanes.running,
            )
        unfinished = [
            sandbox_id
            for sandbox_id, activity in self._activities
            if activity.attempts or activity.advances
        ]
        await self._lanes.cancel()
        for _, activity in self._activities:
            activity.stop_timer()
        if self._store.is_durable:
            await self._release(unfinished)
        await self._attempts.aclose()

    async def _release(self, sandbox_ids: Iterable[str]) -> None:
        """Release the claims of attempts that were not made to the end."""
        for sandbox_id in sandbox_ids:
            release = ReleaseClaims(real_ms=self._real_ms(), owner=self._store.owner)
            try:
                await self._store.execute(sandbox_id, release)
            except SandboxMissing:
                continue
            except StoreUnavailable:
                return  # They are released when others notice the end of this process.

    async def _round(self, sandbox_id: str) -> None:
        """Start the due attempts and set the timer for the next one."""
        activity = self._activities.of(sandbox_id)
        try:
            async with activity.claim_lock:
                if activity.clock_lock.locked():
                    return  # `advance` starts the due attempts and calls `wake`.
                wait_s = await self._look(sandbox_id, activity)
        except SandboxMissing:
            wait_s = None
        except StoreUnavailable as error:
            self._outage.note(error)
            activity.expect_unknown_outcome()
            return
        except Exception:
            log.exception("callbacks of a sandbox wait for a second after an internal error")
            activity.expect_unknown_outcome()
            return
        else:
            self._outage.end()
        self._activities.of(sandbox_id).look_again(wait_s)
        self._activities.tidy(sandbox_id)

    def _round_ended(self, sandbox_id: str, job: asyncio.Task[None]) -> None:
        del self._rounds[sandbox_id]
        if sandbox_id in self._woken:
            self._woken.discard(sandbox_id)
            if not job.cancelled():  # The event loop ends, and nobody would cancel another round.
                self.wake(sandbox_id)

    async def _look(self, sandbox_id: str, activity: Activity) -> float | None:
        """Start the due attempts; return the seconds until the next one, or None."""
        sandbox = await self._sandbox(sandbox_id)
        if activity.has_unknown_outcome:
            await self._release_unknown(sandbox, activity)
        wait_s = self._wait_s(sandbox)
        if wait_s == 0:
            jobs = await self._claims.start_due_locked(sandbox_id)
            wait_s = self._wait_s(await self._sandbox(sandbox_id))
            if wait_s == 0 and not activity.find_room():
                wait_s = None  # The activity wakes this dispatcher when there is room.
            elif wait_s == 0 and not jobs:
                wait_s = POLL_S  # Another process held the clock for a moment.
        if activity.has_unknown_outcome:
            return RETRY_S if wait_s is None else min(wait_s, RETRY_S)
        return wait_s

    def _wait_s(self, sandbox: SandboxReader) -> float | None:
        due_ms = sandbox.next_due_ms()
        if due_ms is not None and self._is_held_elsewhere(sandbox):
            return _HELD_ELSEWHERE_S
        return sandbox.real_wait_s(due_ms, self._real_ms())

    def _is_held_elsewhere(self, sandbox: SandboxReader) -> bool:
        return sandbox.clock_holder not in {None, self._store.owner}

    async def _release_unknown(self, sandbox: SandboxReader, activity: Activity) -> None:
        """Release what this process has claimed although it got an error, because of an outage."""
        owner, real_ms = self._store.owner, self._real_ms()
        known = {job.due.claim for job in activity.attempts}
        if not sandbox.claims_of(owner) <= known:
            release = ReleaseClaims(real_ms=real_ms, owner=owner, kept=tuple(sorted(known)))
            await self._store.execute(sandbox.id, release)
        if sandbox.clock_holder == owner and not activity.advances:
            await self._store.execute(sandbox.id, ReleaseClock(real_ms=real_ms, owner=owner))

    async def _sandbox(self, sandbox_id: str) -> SandboxReader:
        sandbox = await self._store.read(sandbox_id)
        if sandbox is None:
            raise SandboxMissing(f"there is no sandbox {sandbox_id}")
        return sandbox

    def _real_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000


async def _cancel(jobs: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end."""
    cancelled = list(jobs)
    for job in cancelled:
        job.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
