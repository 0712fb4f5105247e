"""What the dispatcher has in progress for a sandbox: a timer, attempts, calls of `advance`."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial

from mock_server.domain.dispatching import SandboxDropped
from mock_server.domain.events import Change, Follower, Notice
from mock_server.domain.store import Store
from mock_server.runtime.attempt_job import AttemptJob
from mock_server.runtime.store_outage import RETRY_S

_LONGEST_TIMER_S = 86_400.0
_UNKNOWN_S = 15.0


class Activity:
    """The timer and the claimed attempts of one sandbox, until its state is dropped.

    `wake` lets the dispatcher look at the sandbox.
    """

    def __init__(self, wake: Callable[[], None], max_attempts: int) -> None:
        self.is_dropped = False
        self.attempts: dict[AttemptJob, None] = {}  # They have not ended; oldest first.
        self.matching: set[asyncio.Task[None]] = set()  # These tasks match rules for attempts.
        self.match_lock = asyncio.Lock()  # Attempts are matched one after another.
        self.claim_lock = (
            asyncio.Lock()
        )  # Held from a claim until `attempts` contains its attempts.
        self.clock_lock = asyncio.Lock()  # Held while `advance` moves the clock.
        self.advances = 0  # The number of calls that hold the clock lock or wait for it.
        self._wake = wake
        self._max_attempts = max_attempts
        self._timer: asyncio.TimerHandle | None = None
        self._unknown_until_s = 0.0
        self._waiters: dict[asyncio.Future[None], set[AttemptJob]] = {}
        self._is_backlogged = False

    def check(self) -> None:
        """Raise SandboxDropped if the state of the sandbox was dropped."""
        if self.is_dropped:
            raise SandboxDropped

    @property
    def is_idle(self) -> bool:
        return self._timer is None and not self.attempts and not self.advances

    def find_room(self) -> int:
        """Return how many attempts may be claimed now. If none, `wake` is called later."""
        room = max(self._max_attempts - len(self.attempts), 0)
        self._is_backlogged = not room
        return room

    def end(self, job: AttemptJob) -> None:
        """Remove an attempt that has ended, and continue what waits for it."""
        self.attempts.pop(job, None)
        for waiter, jobs in self._waiters.items():
            jobs.discard(job)
            if not jobs and not waiter.done():
                waiter.set_result(None)
        if self._is_backlogged and len(self.attempts) <= self._max_attempts // 2:
            self._is_backlogged = False
            self._wake()

    async def wait_for(self, jobs: Collection[AttemptJob], timeout_s: float | None = None) -> bool:
        """Wait until these attempts have ended; return False after `timeout_s` real seconds.

        It ends early if the state of the sandbox is dropped.
        """
        pending = {job for job in jobs if job in self.attempts}
        if self.is_dropped or not pending:
            return True
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = pending
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await waiter
                    return True
            return False
        finally:
            del self._waiters[waiter]

    @property
    def has_unknown_outcome(self) -> bool:
        return asyncio.get_running_loop().time() < self._unknown_until_s

    def expect_unknown_outcome(self) -> None:
        """Remember that a command may have been applied although its result is unknown.

        For some seconds, the sandbox may show claims whose attempts nobody makes, or a clock that
        nobody moves.
        """
        self._unknown_until_s = asyncio.get_running_loop().time() + _UNKNOWN_S
        self.look_again(RETRY_S)

    def look_again(self, wait_s: float | None) -> None:
        """Wake the dispatcher after this time, and not at the time that was set before."""
        self.stop_timer()
        if wait_s is not None and not self.is_dropped:
            wait_s = min(wait_s, _LONGEST_TIMER_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)

    def stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def drop(self) -> None:
        """Cancel all that is in progress."""
        self.is_dropped = True
        self.stop_timer()
        for task in self.matching:
            task.cancel()
        self.attempts.clear()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class Activities:
    """The activities of the sandboxes for which something is in progress.

    An activity ends as soon as nothing is in progress, or when the state of its sandbox is dropped;
    then `drop` is called too.
    """

    def __init__(
        self,
        store: Store,
        *,
        wake: Callable[[str], None],
        drop: Callable[[str], None],
        max_attempts: int,
    ) -> None:
        self._store = store
        self._max_attempts = max_attempts
        self._wake = wake
        self._drop = drop
        self._activities: dict[str, tuple[Activity, Follower]] = {}

    def __len__(self) -> int:
        return len(self._activities)

    def __iter__(self) -> Iterator[tuple[str, Activity]]:
        return iter(
            [(sandbox_id, activity) for sandbox_id, (activity, _) in self._activities.items()]
        )

    def of(self, sandbox_id: str) -> Activity:
        """Return the activity of a sandbox; begin one if there is none."""
        found = self._activities.get(sandbox_id)
        if found is not None:
            return found[0]
        activity, follower = (
            Activity(partial(self._wake, sandbox_id), self._max_attempts),
            partial(self._note, sandbox_id),
        )
        self._activities[sandbox_id] = activity, follower
        self._store.follow(sandbox_id, follower, is_passive=True)
        return activity

    def tidy(self, sandbox_id: str) -> None:
        """End the activity of a sandbox if nothing is in progress in it."""
        found = self._activities.get(sandbox_id)
        if found is not None and found[0].is_idle:
            self._end(sandbox_id)

    def _note(self, sandbox_id: str, notice: Notice) -> None:
        """Drop what is in progress as soon as its sandbox begins again or is removed."""
        if notice is Change.DROPPED or notice is Change.REMOVED:
            self._end(sandbox_id).drop()
            self._drop(sandbox_id)

    def _end(self, sandbox_id: str) -> Activity:
        activity, follower = self._activities.pop(sandbox_id)
        self._store.unfollow(sandbox_id, follower)
        return activity
