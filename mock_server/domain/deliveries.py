"""The callbacks of a sandbox: when each is due, and the results of attempts (CB-1 … CB-4)."""

from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Self, TypeAlias

import msgspec

from mock_server.domain.faults.injected import Injected
from mock_server.domain.integers import Integer
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.snapshot_bounds import Instant, Status, Text
from mock_server.domain.task import Task

RETRY_AFTER_MS = (30_000, 120_000, 600_000)  # CB-3: from the end of the previous attempt.
_MAX_STALE = 100

Provenance: TypeAlias = tuple[str, tuple[Injected, ...]]
"""The id of a rule, and the faults that it injects."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    BLOCKED = "blocked"


class Attempt(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    at_ms: Instant
    status: Status | None
    error: Text | None
    duration_ms: Integer  # Real time.


class Delivery(msgspec.Struct, frozen=True, gc=False, kw_only=True, array_like=True):
    """The callback of one task; `due_ms` is None while no attempt is scheduled.

    The task does not depend on it and can be polled like any other (CB-5).
    """

    task_id: str
    ordinal: int  # Of the task. Deliveries that are due at the same instant are sent in this order.
    url: str
    state: DeliveryState = DeliveryState.PENDING
    due_ms: int | None = None
    attempts: tuple[Attempt, ...] = ()
    claim: int = 0  # The number of the claim whose attempt is in progress, 0 if there is none.
    owner: str = ""  # The process that makes the attempt in progress.
    postponed_attempt: int = 0  # The attempt that a rule postponed; it is postponed only once.
    postponed_by: Provenance = ("", ())


class DueDelivery(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A due attempt that was claimed and must be made now."""

    task: Task
    url: str
    claim: int
    attempt: int  # The first attempt is 1.
    at_ms: int
    postponed_by: Provenance | None = None  # The rule that postponed this attempt.


class Deliveries:
    """The deliveries of a sandbox, by task id and in the order in which they are due."""

    __slots__ = ("_by_task", "_claims", "_due", "_in_progress", "_overtaken")

    def __init__(self, claims: int = 0) -> None:
        self._by_task: dict[str, Delivery] = {}
        self._due: list[tuple[int, int, str]] = []
        self._claims = claims
        self._in_progress: dict[str, Delivery] = {}  # Those with a claim, by task id.
        self._overtaken: dict[str, None] = {}  # Tasks whose delivery waits for another delivery.

    def __len__(self) -> int:
        return len(self._by_task)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._by_task.values())

    @property
    def claims(self) -> int:
        """The number of claims so far, from which a replacement of this object continues."""
        return self._claims

    @property
    def overtaken(self) -> list[str]:
        """The ids of the tasks whose delivery waits for another delivery."""
        return list(self._overtaken)

    @classmethod
    def of_checkpoint(
        cls, claims: int, deliveries: Iterable[Delivery], overtaken: Iterable[str]
    ) -> Self:
        restored = cls(claims)
        for delivery in deliveries:
            restored._schedule(delivery, delivery.due_ms)
        restored._overtaken = dict.fromkeys(overtaken)
        return restored

    def by_task(self) -> dict[str, Delivery]:
        """Return the present deliveries by task id."""
        return self._by_task.copy()

    def continue_claims(self, claims: int) -> None:
        """Continue to count claims from the number of the deliveries that this object replaces."""
        self._claims = claims

    def of_task(self, task_id: str) -> Delivery | None:
        return self._by_task.get(task_id)

    def open(self, task: Task, url: str) -> None:
        """Schedule the delivery of a task whose submit has been answered (CB-1)."""
        delivery = Delivery(task_id=task.id, ordinal=task.ordinal, url=url)
        self._schedule(delivery, task.end_ms)

    def restore(self, delivery: Delivery, *, until_overtaken: bool) -> None:
        """Add a delivery from a snapshot."""
        self._schedule(delivery, delivery.due_ms)
        if until_overtaken:
            self._overtaken[delivery.task_id] = None

    def reschedule(self, task: Task) -> None:
        """Reschedule the first attempt for a task that ends at another instant than planned."""
        delivery = self._by_task.get(task.id)
        if delivery is not None and not delivery.attempts and not delivery.claim:
            self._schedule(delivery, task.end_ms)

    def next_due_ms(self) -> int | None:
        """Return when the next attempt is due, or None."""
        while self._due and not self._is_current(self._due[0]):
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def owners(self) -> frozenset[str]:
        """Return the owners of the attempts in progress."""
        return frozenset(delivery.owner for delivery in self._in_progress.values())

    def claim_of(self, task_id: str) -> int:
        """Return the number of the claim whose attempt for a task is in progress, or 0."""
        delivery = self._in_progress.get(task_id)
        return 0 if delivery is None else delivery.claim

    def claims_of(self, owner: str) -> frozenset[int]:
        """Return the numbers of the claims of an owner."""
        claimed = self._in_progress.values()
        return frozenset(delivery.claim for delivery in claimed if delivery.owner == owner)

    def claim(self, now_ms: int, owner: str = "", limit: int | None = None) -> list[Delivery]:
        """Claim the deliveries that are due by now, in order of time, at most `limit` of them."""
        claimed: list[Delivery] = []
        while (
            len(claimed) != limit
            and (due_ms := self.next_due_ms()) is not None
            and due_ms <= now_ms
        ):
            task_id = heappop(self._due)[2]
            self._claims += 1
            delivery = msgspec.structs.replace(
                self._by_task[task_id], due_ms=None, claim=self._claims, owner=owner
            )
            self._put(delivery)
            claimed.append(delivery)
        return claimed

    def release(self, owner: str, now_ms: int, *, kept: Collection[int] = ()) -> int:
        """Make the attempts that an owner has claimed due now, without those in `kept`.

        Return their number.
        """
        released = [
            delivery
            for delivery in self._in_progress.values()
            if delivery.owner == owner and delivery.claim not in kept
        ]
        for delivery in released:
            self._schedule(_unclaimed(delivery), now_ms)
        return len(released)

    def record(
        self,
        claimed: DueDelivery,
        delivered: DeliveryResult,
        now_ms: int,
        ended_ms: int | None = None,
    ) -> bool:
        """Record an attempt; schedule the next one unless the receiver answered 200 (CB-2).

        An invalid URL gets no other attempt (CB-3). The delay of the next attempt counts from
        `ended_ms`, by default from now. Return False when the delivery
        was dropped during the attempt.
        """
        delivery = self._claimed(claimed)
        if delivery is None:
            return False
        self._release_overtaken(now_ms)
        attempt = Attempt(
            at_ms=claimed.at_ms,
            status=delivered.status,
            error=delivered.error,
            duration_ms=delivered.duration_ms,
        )
        delivery = msgspec.structs.replace(
            delivery, attempts=(*delivery.attempts, attempt), claim=0, owner=""
        )
        retry_at_ms = None
        if delivered.status == 200:
            delivery = msgspec.structs.replace(delivery, state=DeliveryState.DELIVERED)
        elif delivered.is_blocked:
            delivery = msgspec.structs.replace(delivery, state=DeliveryState.BLOCKED)
        elif delivered.is_invalid or claimed.attempt > len(RETRY_AFTER_MS):
            delivery = msgspec.structs.replace(delivery, state=DeliveryState.FAILED)
        else:
            after_ms = now_ms if ended_ms is None else ended_ms
            retry_at_ms = after_ms + RETRY_AFTER_MS[claimed.attempt - 1]
        self._schedule(delivery, retry_at_ms)
        return True

    def postpone(
        self, claimed: DueDelivery, due_ms: int, by: Provenance, *, until_overtaken: bool
    ) -> None:
        """Schedule a claimed attempt again, at `due_ms` of the sandbox's clock.

        With `until_overtaken` it becomes due earlier: as soon as another delivery is attempted.
        """
        delivery = self._claimed(claimed)
        if delivery is None:
            return
        postponed = msgspec.structs.replace(
            _unclaimed(delivery), postponed_attempt=claimed.attempt, postponed_by=by
        )
        self._schedule(postponed, due_ms)
        if until_overtaken:
            self._overtaken[delivery.task_id] = None

    def drop(self, task_id: str) -> None:
        self._by_task.pop(task_id, None)
        self._in_progress.pop(task_id, None)
        self._overtaken.pop(task_id, None)

    def _claimed(self, claimed: DueDelivery) -> Delivery | None:
        delivery = self._by_task.get(claimed.task.id)
        return delivery if delivery is not None and delivery.claim == claimed.claim else None

    def _release_overtaken(self, now_ms: int) -> None:
        for task_id in self._overtaken:
            delivery = self._by_task.get(task_id)
            if delivery is not None and delivery.due_ms is not None:
                self._schedule(delivery, now_ms)
        self._overtaken.clear()

    def _schedule(self, delivery: Delivery, due_ms: int | None) -> None:
        if delivery.due_ms != due_ms:
            delivery = msgspec.structs.replace(delivery, due_ms=due_ms)
        self._put(delivery)
        if due_ms is not None:
            heappush(self._due, (due_ms, delivery.ordinal, delivery.task_id))
            if len(self._due) > 2 * len(self._by_task) + _MAX_STALE:
                self._due = [entry for entry in self._due if self._is_current(entry)]
                heapify(self._due)

    def _put(self, delivery: Delivery) -> None:
        """Store the current value of a delivery."""
        self._by_task[delivery.task_id] = delivery
        if delivery.claim:
            self._in_progress[delivery.task_id] = delivery
        else:
            self._in_progress.pop(delivery.task_id, None)

    def _is_current(self, entry: tuple[int, int, str]) -> bool:
        delivery = self._by_task.get(entry[2])
        return delivery is not None and delivery.due_ms == entry[0]


def _unclaimed(delivery: Delivery) -> Delivery:
    return msgspec.structs.replace(delivery, claim=0, owner="")
