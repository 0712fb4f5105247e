"""Counters of a server since its start, for `GET /_mock/metrics`.

Every request updates them, so they are plain numbers. The labels contain no API key.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.task import Task

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BUCKETS_US = tuple(int(bound * 1_000_000) for bound in BUCKETS_S)


class ServerMetrics:
    __slots__ = (
        "buckets", "callbacks", "ended", "faults", "requests", "spent_us", "submitted",
        "unauthorized",
    )  # fmt: skip

    def __init__(self) -> None:
        self.requests: Counter[tuple[Operation, int]] = Counter()
        self.buckets = {each: [0] * (len(BUCKETS_S) + 1) for each in Operation}
        self.spent_us: Counter[Operation] = Counter()
        self.submitted = 0
        self.ended: Counter[str] = Counter()  # By fail code; empty for success.
        self.callbacks: Counter[str] = Counter()  # Attempts by result.
        self.faults: Counter[str] = Counter()
        self.unauthorized = 0  # Requests that reached no sandbox.

    def count_ended(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.ended[task.plan.fail_code or ""] += 1

    def count(self, entry: Entry) -> None:
        """Count an entry of a journal."""
        operation = entry.operation
        for injected in entry.injected:
            self.faults[injected.text] += 1
        if operation is Operation.CALLBACK:
            self.callbacks[_outcome(entry)] += 1
            return
        self.requests[operation, entry.status] += 1
        self.spent_us[operation] += entry.duration_us
        self.buckets[operation][bisect_left(_BUCKETS_US, entry.duration_us)] += 1


def _outcome(entry: Entry) -> str:
    if entry.status == 200:
        return "delivered"
    return "refused" if entry.status else "unanswered"
