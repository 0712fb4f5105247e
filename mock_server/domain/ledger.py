"""The tasks of a sandbox that have not ended, and its money (LIM-2, SUB-17, BIL-1, FAIL-5)."""

from functools import lru_cache
from heapq import heapify, heappop, heappush
from typing import Self

import msgspec

from mock_server.domain.task import Task

MICRO = 1_000_000
NEVER_MS = 2**62
PORTION = 500
"""How many ended tasks a command settles at once, if its result does not depend on all of them.

This takes about a millisecond.
"""
_MAX_STALE = 100


@lru_cache(maxsize=1000)  # A million tasks share the same few numbers in memory.
def price_microusd(price_usd: float, images: int) -> int:
    """Return the price of a number of images in millionths of a dollar (BIL-1)."""
    return round(price_usd * MICRO) * images


class LedgerCheckpoint(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The exact state of a ledger, without the tasks."""

    balance_microusd: int
    succeeded: int
    failed: int


class Ledger:
    """Reserves the price of each new task and refunds it if the task fails.

    `settle` processes the tasks that have ended, in order of time, in O(log n) per task. `tasks`
    is the sandbox's own dict; `settle` replaces each task there by a settled copy.
    """

    __slots__ = ("_ends", "_tasks", "balance_microusd", "due_ms", "failed", "live", "succeeded")

    def __init__(self, tasks: dict[str, Task], balance_microusd: int) -> None:
        self.balance_microusd = balance_microusd
        self.live = 0
        self.succeeded = 0
        self.failed = 0
        self.due_ms = NEVER_MS  # Before this instant `settle` finds nothing.
        self._tasks = tasks
        self._ends: list[Task] = []  # A heap. Some of them may be out of date.

    def checkpoint(self) -> LedgerCheckpoint:
        return LedgerCheckpoint(
            balance_microusd=self.balance_microusd,
            succeeded=self.succeeded,
            failed=self.failed,
        )

    @classmethod
    def of_checkpoint(cls, tasks: dict[str, Task], kept: LedgerCheckpoint) -> Self:
        ledger = cls(tasks, kept.balance_microusd)
        ledger.succeeded, ledger.failed = kept.succeeded, kept.failed
        for task in tasks.values():
            ledger.resume(task)
        return ledger

    def open(self, task: Task) -> None:
        """Reserve the price of a new task, and schedule its end if its plan says when that is."""
        self.live += 1
        self.balance_microusd -= task.order.price_microusd
        end_ms = task.end_ms
        if end_ms is not None:
            heappush(self._ends, task)
            if end_ms < self.due_ms:  # noqa: PLR1730  # `min` would cost as much as the rest
                self.due_ms = end_ms

    def resume(self, task: Task) -> None:
        """Continue with a task of another ledger, which has reserved its price."""
        if not task.is_settled:
            self.live += 1
            self.expect(task)

    def expect(self, task: Task) -> None:
        """Schedule the end of a live task, if its plan says when that is."""
        if task.end_ms is None:
            return
        heappush(self._ends, task)
        self.due_ms = min(self.due_ms, task.end_ms)
        if len(self._ends) > 2 * self.live + _MAX_STALE:  # Many tasks were ended early.
            self._ends = [each for each in self._ends if self._is_current(each)]
            heapify(self._ends)

    def settle(self, now_ms: int, limit: int | None = None) -> list[Task]:
        """Settle the tasks that have ended by now: count each one, and refund it if it failed.

        Return the settled tasks in order of time. With `limit`, process at most that
        many ends; `due_ms` is in the past while others are left.
        """
        settled: list[Task] = []
        processed = 0
        while self._first_end_ms() <= now_ms and processed != limit:
            processed += 1
            ended = heappop(self._ends)
            if not self._is_current(ended):
                continue
            task = msgspec.structs.replace(ended, is_settled=True)
            self._tasks[task.id] = task
            self.live -= 1
            if task.ending.fail_code is None:
                self.succeeded += 1
            else:
                self.failed += 1
                self.balance_microusd += task.order.price_microusd
            settled.append(task)
        self.due_ms = self._first_end_ms()
        return settled

    def balance_at(self, now_ms: int) -> int:
        """Return the balance with the refunds of all tasks that have ended by now.

        It takes linear time if some of them have not been settled yet.
        """
        if self.due_ms > now_ms:
            return self.balance_microusd
        return self.balance_microusd + sum(
            task.order.price_microusd
            for task in self._ends
            if task.ending.fail_code is not None
            and (task.end_ms is not None and task.end_ms <= now_ms)
            and self._is_current(task)
        )

    def set_balance(self, balance_microusd: int, now_ms: int) -> None:
        """Set the balance that `balance_at` returns for this instant."""
        self.balance_microusd += balance_microusd - self.balance_at(now_ms)

    def next_end_ms(self) -> int | None:
        """Return when the next live task ends by itself, or None."""
        while self._ends and not self._is_current(self._ends[0]):
            heappop(self._ends)
        return self._ends[0].end_ms if self._ends else None

    def _first_end_ms(self) -> int:
        end_ms = self._ends[0].end_ms if self._ends else None
        return NEVER_MS if end_ms is None else end_ms

    def _is_current(self, task: Task) -> bool:
        """Tell whether the sandbox still has this task unchanged; it may have ended early."""
        return not task.is_settled and self._tasks.get(task.id) is task
