"""Start callback attempts when they are due on their sandbox's clock (CB-1 … CB-4).

Normally each sandbox has one timer for its next attempt. Every attempt is an asyncio task, so a
slow receiver does not delay others. `advance` moves the clock from one due instant to the next
and waits at each for the attempts that it has started.
"""

import asyncio
import logging
from functools import partial

import msgspec

from mock_server.domain.clock import LATEST_MS
from mock_server.domain.commands import (
    ClaimDeliveries,
    HoldClock,
    MoveClock,
    ReleaseClock,
    Restore,
)
from mock_server.domain.deliveries import DeliveryState, DueDelivery
from mock_server.domain.dispatching import (
    Advanced,
    DeliveryAttempt,
    InstantTooLate,
    SandboxDropped,
)
from mock_server.domain.errors import SandboxMissing
from mock_server.domain.events import Change, Event, Follower
from mock_server.domain.ports import RealClock
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.snapshot import Snapshot
from mock_server.domain.store import SandboxReader, Store
from mock_server.runtime.callback_attempts import CallbackAttempts

log = logging.getLogger("mock_server.callbacks")

_LONGEST_TIMER_S = 86_400.0
_MAX_LOGGED_AT_SHUTDOWN = 100
_POLL_S = 0.05


class EarlyDelivery(msgspec.Struct, frozen=True):
    """A task whose callback is sent before its submit is answered, and the rule that says so."""

    task_id: str
    match: RuleMatch


class _Lane:
    """The timer and the attempts of one sandbox, until its state is dropped."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower  # Of the sandbox, as long as this is its lane.
        self.is_dropped = False
        self.timer: asyncio.TimerHandle | None = None
        self.attempts: set[asyncio.Task[DeliveryAttempt | None]] = set()
        self.clock_lock = asyncio.Lock()  # Held while `advance` moves the clock.
        self.advances = 0  # The number of calls that hold the lock or wait for it.

    def check(self) -> None:
        """Raise SandboxDropped if the state of the sandbox was dropped."""
        if self.is_dropped:
            raise SandboxDropped

    @property
    def is_idle(self) -> bool:
        return self.timer is None and not self.attempts and not self.advances


class Dispatcher:
    """Implements `domain.dispatching.CallbackDispatcher`; see there for its methods."""

    def __init__(self, store: Store, attempts: CallbackAttempts, *, clock: RealClock) -> None:
        self._store = store
        self._attempts = attempts
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._rounds: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in progress for any sandbox."""
        return not self._lanes and not self._rounds

    def wake(self, sandbox_id: str) -> None:
        job = asyncio.create_task(self._round(sandbox_id))
        self._rounds.add(job)
        job.add_done_callback(self._rounds.discard)

    async def advance(self, sandbox_id: str, by_ms: int) -> Advanced:
        lane = self._lane(sandbox_id)
        lane.advances += 1
        try:
            async with lane.clock_lock:
                lane.check()
                from_ms, fired = await self._advance_held(sandbox_id, lane, by_ms)
        except SandboxMissing as error:
            raise SandboxDropped from error
        finally:
            lane.advances -= 1
            self._tidy(sandbox_id, lane)
        self.wake(sandbox_id)
        return Advanced(from_ms=from_ms, now_ms=from_ms + by_ms, fired=fired)

    async def deliver_now(self, sandbox_id: str, task_id: str, match: RuleMatch) -> None:
        early = EarlyDelivery(task_id, match)
        sent = await self._start_due(sandbox_id, self._lane(sandbox_id), early)
        if sent:
            await asyncio.wait(sent)

    async def restore(self, sandbox_id: str, snapshot: Snapshot) -> None:
        restore = Restore(real_ms=self._real_ms(), snapshot=snapshot)
        await self._store.execute(sandbox_id, restore)
        self.wake(sandbox_id)

    async def aclose(self) -> None:
        """Log the pending callbacks, then cancel all attempts and timers."""
        pending = [
            delivery
            for sandbox in await self._store.sandboxes()
            for delivery in sandbox.deliveries()
            if delivery.state is DeliveryState.PENDING
        ]
        for delivery in pending[:_MAX_LOGGED_AT_SHUTDOWN]:
            log.warning(
                "callback not delivered before shutdown: task %s, attempts: %d",
                delivery.task_id,
                len(delivery.attempts),
            )
        if len(pending) > _MAX_LOGGED_AT_SHUTDOWN:
            log.warning("callbacks not delivered before shutdown: %d in total", len(pending))
        jobs = [job for lane in self._lanes.values() for job in lane.attempts]
        for lane in self._lanes.values():
            if lane.timer is not None:
                lane.timer.cancel()
        for job in (*jobs, *self._rounds):
            job.cancel()
        await asyncio.gather(*jobs, *self._rounds, return_exceptions=True)
        await self._attempts.aclose()

    async def _advance_held(
        self, sandbox_id: str, lane: _Lane, by_ms: int
    ) -> tuple[int, list[DeliveryAttempt]]:
        """Move the clock while it is held; return the initial instant and the attempts."""
        from_ms = await self._hold_clock(sandbox_id)
        try:
            if from_ms + by_ms > LATEST_MS:
                raise InstantTooLate
            if lane.attempts:
                await asyncio.wait(lane.attempts)
                lane.check()
            return from_ms, await self._walk(sandbox_id, lane, from_ms + by_ms)
        finally:
            if not lane.is_dropped:
                await self._release_clock(sandbox_id)

    async def _hold_clock(self, sandbox_id: str) -> int:
        """Hold the clock and return its instant; wait as long as another process holds it."""
        while True:
            hold = HoldClock(real_ms=self._real_ms(), owner=self._store.owner)
            from_ms = await self._store.execute(sandbox_id, hold)
            if from_ms is not None:
                return from_ms
            await asyncio.sleep(_POLL_S)

    async def _walk(self, sandbox_id: str, lane: _Lane, until_ms: int) -> list[DeliveryAttempt]:
        fired: list[DeliveryAttempt] = []
        while (due_ms := await self._next_due_ms(sandbox_id)) is not None and due_ms <= until_ms:
            await self._move_clock(sandbox_id, due_ms)
            sent = await self._start_due(sandbox_id, lane)
            if sent:
                await asyncio.wait(sent)
            lane.check()
            fired += [done for job in sent if (done := job.result()) is not None]
        await self._move_clock(sandbox_id, until_ms)
        return fired

    async def _round(self, sandbox_id: str) -> None:
        """Start the due attempts and set the timer for the next one."""
        lane = self._lane(sandbox_id)
        if lane.clock_lock.locked():  # `advance` starts the due attempts and calls `wake`.
            return
        try:
            await self._start_due(sandbox_id, lane)
        except SandboxMissing:
            self._tidy(sandbox_id, lane)
            return
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        wait_s = await self._wait_s(sandbox_id)
        if wait_s is not None:
            loop = asyncio.get_running_loop()
            lane.timer = loop.call_later(min(wait_s, _LONGEST_TIMER_S), self.wake, sandbox_id)
        self._tidy(sandbox_id, lane)

    async def _start_due(
        self, sandbox_id: str, lane: _Lane, early: EarlyDelivery | None = None
    ) -> list[asyncio.Task[DeliveryAttempt | None]]:
        claim = ClaimDeliveries(real_ms=self._real_ms(), owner=self._store.owner)
        jobs = []
        for due in await self._store.execute(sandbox_id, claim):
            job = asyncio.create_task(self._attempt(sandbox_id, due, early))
            jobs.append(job)
            lane.attempts.add(job)
            job.add_done_callback(lambda job: self._done(sandbox_id, lane, job))
        return jobs

    async def _attempt(
        self, sandbox_id: str, due: DueDelivery, early: EarlyDelivery | None
    ) -> DeliveryAttempt | None:
        sandbox = await self._store.read(sandbox_id)
        if sandbox is None:
            return None
        match = early.match if early is not None and early.task_id == due.task.id else None
        try:
            made = await self._attempts.make(sandbox, due, match)
        except SandboxMissing:
            return None
        if made is None or made.status != 200 or sandbox.has_rules:
            self.wake(sandbox_id)  # There may be a retry, or a postponed delivery may be due.
        return made

    def _done(
        self, sandbox_id: str, lane: _Lane, job: asyncio.Task[DeliveryAttempt | None]
    ) -> None:
        lane.attempts.discard(job)
        self._tidy(sandbox_id, lane)

    def _tidy(self, sandbox_id: str, lane: _Lane) -> None:
        if lane.is_idle and self._lanes.get(sandbox_id) is lane:
            self._leave(sandbox_id)

    def _note(self, sandbox_id: str, event: Event) -> None:
        """Drop what is in progress as soon as its sandbox begins again or is removed."""
        if event is Change.DROPPED or event is Change.REMOVED:
            self._drop(sandbox_id)

    def _drop(self, sandbox_id: str) -> None:
        lane = self._leave(sandbox_id)
        lane.is_dropped = True
        if lane.timer is not None:
            lane.timer.cancel()
        for job in lane.attempts:
            job.cancel()

    def _lane(self, sandbox_id: str) -> _Lane:
        lane = self._lanes.get(sandbox_id)
        if lane is None:
            lane = self._lanes[sandbox_id] = _Lane(partial(self._note, sandbox_id))
            self._store.follow(sandbox_id, lane.follower)
        return lane

    def _leave(self, sandbox_id: str) -> _Lane:
        lane = self._lanes.pop(sandbox_id)
        self._store.unfollow(sandbox_id, lane.follower)
        return lane

    async def _next_due_ms(self, sandbox_id: str) -> int | None:
        return (await self._reader(sandbox_id)).next_due_ms()

    async def _wait_s(self, sandbox_id: str) -> float | None:
        sandbox = await self._store.read(sandbox_id)
        if sandbox is None:
            return None
        return sandbox.real_wait_s(sandbox.next_due_ms(), self._real_ms())

    async def _move_clock(self, sandbox_id: str, instant_ms: int) -> None:
        move = MoveClock(real_ms=self._real_ms(), instant_ms=instant_ms, owner=self._store.owner)
        await self._store.execute(sandbox_id, move)

    async def _release_clock(self, sandbox_id: str) -> None:
        if await self._store.read(sandbox_id) is not None:
            release = ReleaseClock(real_ms=self._real_ms(), owner=self._store.owner)
            await self._store.execute(sandbox_id, release)

    async def _reader(self, sandbox_id: str) -> SandboxReader:
        sandbox = await self._store.read(sandbox_id)
        if sandbox is None:
            raise SandboxMissing(f"there is no sandbox {sandbox_id}")
        return sandbox

    def _real_ms(self) -> int:
        return self._clock.now_ns() // 1_000_000
