"""Claim callback attempts that are due, and run each one as an asyncio task."""

import asyncio
from collections.abc import Callable

import msgspec

from mock_server.domain.commands import ClaimDeliveries
from mock_server.domain.deliveries import DueDelivery
from mock_server.domain.dispatching import DeliveryAttempt
from mock_server.domain.errors import SandboxMissing, StoreUnavailable
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.store import Store
from mock_server.runtime.activity import Activities, Activity, AttemptJob
from mock_server.runtime.callback_attempts import CallbackAttempts


class EarlyDelivery(msgspec.Struct, frozen=True):
    """A task whose callback is sent before the response to its submit, and the rule for that."""

    task_id: str
    match: RuleMatch


class ClaimedAttempts:
    """Starts attempts. While one is in progress, the activity of its sandbox contains it."""

    def __init__(
        self,
        store: Store,
        attempts: CallbackAttempts,
        activities: Activities,
        *,
        wake: Callable[[str], None],
        real_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._activities = activities
        self._wake = wake
        self._real_ms = real_ms

    async def start_due(
        self, sandbox_id: str, early: EarlyDelivery | None = None
    ) -> list[AttemptJob]:
        """Claim the due attempts and start them."""
        async with self._activities.of(sandbox_id).claim_lock:
            return await self.start_due_locked(sandbox_id, early)

    async def start_due_locked(
        self, sandbox_id: str, early: EarlyDelivery | None = None
    ) -> list[AttemptJob]:
        """Do the same; the caller holds the claim lock."""
        claim = ClaimDeliveries(real_ms=self._real_ms(), owner=self._store.owner)
        try:
            claimed = await self._store.execute(sandbox_id, claim)
        except (StoreUnavailable, asyncio.CancelledError):
            self._activities.of(sandbox_id).expect_unknown_outcome()
            raise
        activity = self._activities.of(
            sandbox_id
        )  # The state may have been dropped before the claim.
        jobs = []
        for due in claimed:
            job = asyncio.create_task(self._attempt(sandbox_id, due, early))
            jobs.append(job)
            activity.attempts[job] = due
            job.add_done_callback(lambda job: self._attempt_ended(sandbox_id, activity, job))
        return jobs

    async def _attempt(
        self, sandbox_id: str, due: DueDelivery, early: EarlyDelivery | None
    ) -> DeliveryAttempt | None:
        sandbox = await self._attempts.outage.retry(lambda _: self._store.read(sandbox_id))
        if sandbox is None or sandbox.claim_of(due.task.id) != due.claim:
            return None
        match = early.match if early is not None and early.task_id == due.task.id else None
        try:
            made = await self._attempts.make(sandbox, due, match)
        except SandboxMissing:
            return None
        if made is None or made.status != 200 or sandbox.has_rules:
            self._wake(sandbox_id)  # There may be a retry, or a postponed delivery may be due.
        return made

    def _attempt_ended(self, sandbox_id: str, activity: Activity, job: AttemptJob) -> None:
        del activity.attempts[job]
        self._activities.tidy(sandbox_id)
