"""Claim callback attempts that are due, match rules for them, and give them to their lanes."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from mock_server.domain.commands import ClaimDeliveries
from mock_server.domain.dispatching import DeliveryAttempt
from mock_server.domain.errors import SandboxMissing
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.store import SandboxReader, Store
from mock_server.runtime.activity import Activities, Activity
from mock_server.runtime.attempt_job import AttemptJob
from mock_server.runtime.callback_attempts import CallbackAttempts, is_answered
from mock_server.runtime.lanes import Lanes

log = logging.getLogger("mock_server.callbacks")

_PORTION = 256
"""The maximum number of deliveries that one command claims, so that no command takes long."""


class EarlyDelivery(msgspec.Struct, frozen=True):
    """A task whose callback is sent before the response to its submit, and the rule for that."""

    task_id: str
    match: RuleMatch


class ClaimedAttempts:
    """Starts attempts. The activity of the sandbox contains each attempt until it has ended."""

    def __init__(
        self,
        store: Store,
        attempts: CallbackAttempts,
        activities: Activities,
        lanes: Lanes,
        *,
        wake: Callable[[str], None],
        real_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._activities = activities
        self._lanes = lanes
        self._wake = wake
        self._real_ms = real_ms

    async def start_due(
        self, sandbox_id: str, *, early: EarlyDelivery | None = None, is_advance: bool = False
    ) -> list[AttemptJob]:
        """Claim the due attempts, as many as there is room for, and start them."""
        async with self._activities.of(sandbox_id).claim_lock:
            return await self.start_due_locked(sandbox_id, early=early, is_advance=is_advance)

    async def start_due_locked(
        self, sandbox_id: str, *, early: EarlyDelivery | None = None, is_advance: bool = False
    ) -> list[AttemptJob]:
        """Do the same; the caller holds the claim lock."""
        jobs: list[AttemptJob] = []
        while room := self._activities.of(sandbox_id).find_room():
            limit = min(room, _PORTION)
            portion = await self._start_portion(sandbox_id, limit, early, is_advance=is_advance)
            jobs += portion
            if len(portion) < limit:
                break
            await asyncio.sleep(0)  # Requests are answered in between.
        return jobs

    async def _start_portion(
        self, sandbox_id: str, limit: int, early: EarlyDelivery | None, *, is_advance: bool
    ) -> list[AttemptJob]:
        claim = ClaimDeliveries(real_ms=self._real_ms(), owner=self._store.owner, limit=limit)
        try:
            claimed = await self._store.execute(sandbox_id, claim)
        except SandboxMissing:
            raise
        except BaseException:
            self._activities.of(sandbox_id).expect_unknown_outcome()
            raise
        # The state may have been dropped before the claim.
        activity = self._activities.of(sandbox_id)
        make = partial(self._make, sandbox_id, activity)
        jobs = [
            AttemptJob(
                due,
                make,
                match=early.match if early and early.task_id == due.task.id else None,
                instant_ms=due.at_ms if is_advance else None,
            )
            for due in claimed
        ]
        activity.attempts.update(dict.fromkeys(jobs))
        if jobs:
            task = asyncio.create_task(self._admit(sandbox_id, activity, jobs))
            activity.matching.add(task)
            task.add_done_callback(activity.matching.discard)
        return jobs

    async def _admit(self, sandbox_id: str, activity: Activity, jobs: Sequence[AttemptJob]) -> None:
        """Match rules for attempts, in order, and give the attempts to their lanes."""
        waiting = deque(jobs)
        try:
            async with activity.match_lock:
                sandbox = await self._attempts.outage.retry(lambda _: self._store.read(sandbox_id))
                while waiting:
                    await self._admit_one(sandbox_id, sandbox, activity, waiting[0])
                    waiting.popleft()
        except Exception:
            log.exception("callbacks will be claimed again after an internal error")
            activity.expect_unknown_outcome()
            for job in waiting:
                self._end(sandbox_id, activity, job)

    async def _admit_one(
        self, sandbox_id: str, sandbox: SandboxReader | None, activity: Activity, job: AttemptJob
    ) -> None:
        if sandbox is None or not _is_claimed(sandbox, job):
            self._end(sandbox_id, activity, job)
        elif not sandbox.has_rules and job.match is None:
            self._lanes.add(sandbox_id, job.due.url, job)
        else:
            await self._match(sandbox, activity, job)
            await asyncio.sleep(0)  # Requests are answered in between.

    async def _match(self, sandbox: SandboxReader, activity: Activity, job: AttemptJob) -> None:
        """Postpone an attempt if a rule says so; give it to its lane otherwise."""
        try:
            job.match = await self._attempts.match(sandbox, job.due) or job.match
            is_postponed = await self._attempts.postpone(sandbox.id, job.due, job.match)
        except SandboxMissing:
            self._end(sandbox.id, activity, job)
            return
        except Exception as error:  # noqa: BLE001  # See `_record_crash`.
            await self._record_crash(sandbox.id, activity, job, error)
            self._end(sandbox.id, activity, job)
            return
        if is_postponed:
            self._end(sandbox.id, activity, job)
            self._wake(sandbox.id)  # It may be due already.
            return
        latency_ms = job.match.latency_ms if job.match else None
        add = partial(self._add, sandbox.id, activity, job)
        if latency_ms:
            asyncio.get_running_loop().call_later(latency_ms / 1000, add)
        else:
            add()

    def _add(self, sandbox_id: str, activity: Activity, job: AttemptJob) -> None:
        if not activity.is_dropped:
            self._lanes.add(sandbox_id, job.due.url, job)

    async def _make(self, sandbox_id: str, activity: Activity, job: AttemptJob) -> bool | None:
        """Make an attempt whose turn it is. Return whether the receiver responded."""
        due = job.due
        try:
            sandbox = await self._attempts.outage.retry(lambda _: self._store.read(sandbox_id))
            if sandbox is None or not _is_claimed(sandbox, job):
                return None
            delivered = await self._attempts.send(sandbox, due, job.match, ended_ms=job.instant_ms)
            job.result = DeliveryAttempt(
                at_ms=due.at_ms,
                task_id=due.task.id,
                attempt=due.attempt,
                status=delivered.status,
                error=delivered.error,
            )
            if delivered.status != 200 or sandbox.has_rules:
                self._wake(sandbox_id)  # There may be a retry, or a postponed delivery may be due.
            return is_answered(delivered)
        except SandboxMissing:
            return None
        except Exception as error:  # noqa: BLE001  # See `_record_crash`.
            await self._record_crash(sandbox_id, activity, job, error)
            return None
        finally:
            self._end(sandbox_id, activity, job)

    async def _record_crash(
        self, sandbox_id: str, activity: Activity, job: AttemptJob, error: Exception
    ) -> None:
        """Log the unexpected exception that ended an attempt, and record the attempt as failed.

        Otherwise, its delivery would stay claimed until the end of the process.
        """
        due = job.due
        log.error(
            "callback attempt %d for task %s: internal error",
            due.attempt,
            due.task.id,
            exc_info=error,
            extra={"summary": "callback attempt: internal error"},
        )
        try:
            await self._attempts.record_crash(sandbox_id, due, ended_ms=job.instant_ms)
        except SandboxMissing:
            return
        except Exception:
            log.exception("a callback will be claimed again after an internal error")
            activity.expect_unknown_outcome()
        self._wake(sandbox_id)  # There may be a retry.

    def _end(self, sandbox_id: str, activity: Activity, job: AttemptJob) -> None:
        activity.end(job)
        self._activities.tidy(sandbox_id)


def _is_claimed(sandbox: SandboxReader, job: AttemptJob) -> bool:
    return sandbox.claim_of(job.due.task.id) == job.due.claim
