"""Callbacks as data: what is to be delivered, when, and what came of it (CB-1 … CB-4)."""

from collections.abc import Iterator
from enum import StrEnum
from heapq import heapify, heappop, heappush

import msgspec

from mock_server.domain.faults.injected import Injected
from mock_server.domain.ports import Sent
from mock_server.domain.task import Task

RETRY_AFTER_MS = (30_000, 120_000, 600_000)  # CB-3: from the end of the attempt before
_SLACK = 100


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    BLOCKED = "blocked"


class Attempt(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    at_ms: int
    status: int | None
    error: str | None
    duration_ms: int  # real time


class Delivery(msgspec.Struct, kw_only=True):
    """The callback of one task; `due_ms` is None while nothing is to be sent.

    The task knows nothing of it, and can be polled like any other (CB-5).
    """

    task: Task
    url: str
    state: DeliveryState = DeliveryState.PENDING
    due_ms: int | None = None
    attempts: list[Attempt] = msgspec.field(default_factory=list)
    ruled: int = 0  # the number of the attempt that a rule has put off, so that it does so once
    put_off_by: tuple[str, tuple[Injected, ...]] = ("", ())  # that rule, and what it injects


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that is due and now belongs to whoever claimed it."""

    delivery: Delivery
    number: int  # the first attempt is 1
    at_ms: int


class Deliveries:
    """The callbacks of a sandbox, in the order in which they fall due."""

    __slots__ = ("_by_task", "_due", "_overtaken", "_turn")

    def __init__(self) -> None:
        self._by_task: dict[str, Delivery] = {}
        self._due: list[tuple[int, int, Delivery]] = []
        self._turn = 0
        self._overtaken: list[Delivery] = []  # wait for another one to go before

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._by_task.values())

    def of_task(self, task_id: str) -> Delivery | None:
        return self._by_task.get(task_id)

    def open(self, task: Task, url: str) -> None:
        """Expect to deliver a task's end; the submit has been answered (CB-1)."""
        delivery = self._by_task[task.id] = Delivery(task=task, url=url)
        self._schedule(delivery, task.plan.end_ms)

    def take_up(self, delivery: Delivery, due_ms: int | None) -> None:
        """Go on with a delivery that was kept."""
        self._by_task[delivery.task.id] = delivery
        self._schedule(delivery, due_ms)

    def reschedule(self, task: Task) -> None:
        """Follow a task that ends at another instant than was planned."""
        delivery = self._by_task.get(task.id)
        if delivery is not None and not delivery.attempts:
            self._schedule(delivery, task.plan.end_ms)

    def next_due_ms(self) -> int | None:
        """Return when the next attempt falls due."""
        while self._due and not _is_current(self._due[0]):
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def claim(self, now_ms: int) -> list[Claim]:
        """Take every attempt that is due by now, in order of time."""
        claims = []
        while (due_ms := self.next_due_ms()) is not None and due_ms <= now_ms:
            delivery = heappop(self._due)[2]
            delivery.due_ms = None
            claims.append(Claim(delivery=delivery, number=len(delivery.attempts) + 1, at_ms=now_ms))
        return claims

    def settle(self, claim: Claim, sent: Sent, now_ms: int) -> bool:
        """Record what came of an attempt; plan the next one unless the receiver said 200 (CB-2).

        Return False when the delivery was dropped while the attempt was under way.
        """
        delivery = claim.delivery
        if self._by_task.get(delivery.task.id) is not delivery:
            return False
        self._let_go(now_ms, but=delivery)
        delivery.attempts.append(
            Attempt(
                at_ms=claim.at_ms,
                status=sent.status,
                error=sent.error,
                duration_ms=sent.duration_ms,
            )
        )
        if sent.status == 200:
            delivery.state = DeliveryState.DELIVERED
        elif sent.is_blocked:
            delivery.state = DeliveryState.BLOCKED
        elif claim.number > len(RETRY_AFTER_MS):
            delivery.state = DeliveryState.FAILED
        else:
            self._schedule(delivery, now_ms + RETRY_AFTER_MS[claim.number - 1])
        return True

    def put_off(
        self,
        claim: Claim,
        by_ms: int,
        now_ms: int,
        by: tuple[str, tuple[Injected, ...]],
        *,
        is_overtaken: bool,
    ) -> None:
        """Make a claimed attempt later, at once when another delivery has gone before."""
        delivery = claim.delivery
        if self._by_task.get(delivery.task.id) is delivery:
            delivery.ruled, delivery.put_off_by = claim.number, by
            self._schedule(delivery, now_ms + by_ms)
            if is_overtaken:
                self._overtaken.append(delivery)

    def drop(self, task_id: str) -> None:
        delivery = self._by_task.pop(task_id, None)
        if delivery is not None:
            delivery.due_ms = None

    def _let_go(self, now_ms: int, *, but: Delivery) -> None:
        for delivery in self._overtaken:
            if delivery.due_ms is not None and delivery is not but:
                self._schedule(delivery, now_ms)
        self._overtaken.clear()

    def _schedule(self, delivery: Delivery, due_ms: int | None) -> None:
        delivery.due_ms = due_ms
        if due_ms is not None:
            self._turn += 1
            heappush(self._due, (due_ms, self._turn, delivery))
            if len(self._due) > 2 * len(self._by_task) + _SLACK:  # changed or dropped ones
                self._due = [entry for entry in self._due if _is_current(entry)]
                heapify(self._due)


def _is_current(entry: tuple[int, int, Delivery]) -> bool:
    return entry[2].due_ms == entry[0]
