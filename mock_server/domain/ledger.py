"""The tasks that have not ended yet, and the money of a sandbox (LIM-2, SUB-17, BIL-1, FAIL-5)."""

from collections.abc import Iterable
from functools import lru_cache
from heapq import heapify, heappop, heappush

from mock_server.domain.task import Task

MICRO = 1_000_000
_SLACK = 100


@lru_cache(maxsize=1000)  # so that a million tasks share the numbers
def price_microusd(price_usd: float, images: int) -> int:
    """BIL-1."""
    return round(price_usd * MICRO) * images


class Ledger:
    """Holds back the price of a live task and gives it back when the task fails.

    Ends are noticed when `settle` is called, in the order of time: O(log n) a task.
    """

    __slots__ = ("_ends", "balance_microusd", "failed", "live", "succeeded")

    def __init__(self, balance_microusd: int) -> None:
        self.balance_microusd = balance_microusd
        self.live = 0
        self.succeeded = 0
        self.failed = 0
        self._ends: list[tuple[int, int, Task]] = []

    def can_pay(self, price_microusd: int) -> bool:
        return self.balance_microusd >= price_microusd

    def open(self, task: Task) -> None:
        self.live += 1
        self.balance_microusd -= task.price_microusd
        self.expect(task)

    def take_up(self, tasks: Iterable[Task], *, succeeded: int, failed: int) -> None:
        """Go on with tasks whose price was taken before."""
        self.succeeded, self.failed = succeeded, failed
        for task in tasks:
            if not task.is_settled:
                self.live += 1
                self.expect(task)

    def expect(self, task: Task) -> None:
        """Note when a task ends, now that it is known."""
        if task.plan.end_ms is not None:
            heappush(self._ends, (task.plan.end_ms, task.ordinal, task))
            if len(self._ends) > 2 * self.live + _SLACK:  # tasks that control has ended early
                self._ends = [entry for entry in self._ends if _is_current(entry)]
                heapify(self._ends)

    def settle(self, now_ms: int) -> list[Task]:
        """Count and pay what has ended by now; return it in order of time."""
        ends = self._ends
        if not ends or ends[0][0] > now_ms:
            return []
        ended = []
        while ends and ends[0][0] <= now_ms:
            entry = heappop(ends)
            if not _is_current(entry):
                continue
            task = entry[2]
            task.is_settled = True
            self.live -= 1
            if task.plan.fail_code is None:
                self.succeeded += 1
            else:
                self.failed += 1
                self.balance_microusd += task.price_microusd
            ended.append(task)
        return ended

    def next_end_ms(self) -> int | None:
        """Return when the next live task ends by itself."""
        while self._ends and not _is_current(self._ends[0]):
            heappop(self._ends)
        return self._ends[0][0] if self._ends else None


def _is_current(entry: tuple[int, int, Task]) -> bool:
    """Tell whether the task still ends as was noted; control may have ended it before."""
    end_ms, _, task = entry
    return not task.is_settled and task.plan.end_ms == end_ms
