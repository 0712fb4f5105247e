"""Predicts limits and balance of one API key (LIM-1 … LIM-5, BIL-1, BIL-2, FAIL-5, SUB-17)."""

from dataclasses import dataclass, field
from typing import Final

from contract_tests.server.model.facts import Facts
from contract_tests.server.model.tasks import KnownTask

WINDOW_MS: Final = 60_000


@dataclass
class Account:
    """What one API key has used. `now_ms` is the instant of its clock, if that is known."""

    facts: Facts
    now_ms: int | None = None
    tasks: list[KnownTask] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    """The instants of the requests that count to the rate limit."""

    @property
    def is_rate_exceeded(self) -> bool:
        """Whether one more request exceeds the rate limit (LIM-1, LIM-3)."""
        return self.now_ms is not None and len(self._in_window()) >= self.facts.rate_limit

    def count_request(self) -> None:
        """Count a request that was neither 401 nor 429 (LIM-4)."""
        if self.now_ms is not None:
            self.counted = [*self._in_window(), self.now_ms]

    def wait_s(self) -> tuple[int, int]:
        """Return the least and the greatest `Retry-After` while the rate is exceeded (LIM-5)."""
        assert self.now_ms is not None, "without a clock no rate is known"
        oldest_ms = self._in_window()[-self.facts.rate_limit]
        wait_ms = oldest_ms + WINDOW_MS - self.now_ms
        return max(1, -(-wait_ms // 1000)), wait_ms // 1000 + 1

    def live_tasks(self) -> tuple[int, int]:
        """Return the least and the greatest number of tasks in progress (LIM-2)."""
        ended = [task.has_ended(self.now_ms) for task in self.tasks]
        return ended.count(False), len(ended) - ended.count(True)

    def balance_microusd(self) -> tuple[int, int] | None:
        """Return the least and the greatest balance, or None if nothing is known.

        A successful task is paid and a failed one is not.  No page says when: until a task has
        ended, its price may have been taken.
        """
        price, low = self.facts.price_microusd, self.facts.balance_microusd
        if price is None or low is None:
            return None
        high = low
        for task in self.tasks:
            is_final = task.has_ended(self.now_ms)
            may_be_paid = is_final is not True or "success" in task.ends
            must_be_paid = is_final is True and "failed" not in task.ends
            low -= task.images * price if may_be_paid else 0
            high -= task.images * price if must_be_paid else 0
        return low, high

    def _in_window(self) -> list[int]:
        assert self.now_ms is not None, "without a clock no rate is known"
        return [instant for instant in self.counted if self.now_ms - instant < WINDOW_MS]
