"""Counters of a server since its start, for `GET /_mock/metrics`.

Every request updates them, so they are plain numbers. The labels contain no API key.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.task import Task

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BUCKETS_US = tuple(int(bound * 1_000_000) for bound in BUCKETS_S)
_CALLBACK = Operation.CALLBACK  # In Python 3.11, the access to a member of an enum is slow.


class RequestMetrics(msgspec.Struct):
    """The requests of one operation that were answered with one status."""

    unmeasured: int = 0  # Their duration is not known.
    total_duration_us: int = 0
    # How many requests took at most as long as each bound of `BUCKETS_S`, and how many longer.
    buckets: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))

    @property
    def count(self) -> int:
        return self.unmeasured + sum(self.buckets)


class ServerMetrics:
    __slots__ = (
        "callbacks",
        "ended",
        "faults",
        "requests",
        "submitted",
        "trimmed_entries",
        "unauthorized",
        "unavailable",
    )

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[Operation, int], RequestMetrics] = defaultdict(
            RequestMetrics
        )
        self.submitted = 0
        self.ended: Counter[str] = Counter()  # By fail code; empty for success.
        self.callbacks: Counter[str] = Counter()  # Attempts by result.
        self.faults: Counter[str] = Counter()
        self.trimmed_entries = 0  # Journal entries dropped because of the limit of all journals.
        self.unauthorized = 0  # Requests that reached no sandbox.
        self.unavailable = 0  # Responses of 503 because the store could not be used.

    def count_ended(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.ended[task.ending.fail_code or ""] += 1

    def count(self, entry: Entry) -> None:
        """Count an entry of a journal."""
        if entry.injected:
            self.faults.update(injected.text for injected in entry.injected)
        if entry.operation is _CALLBACK:
            self.callbacks[_outcome(entry)] += 1
            return
        requests = self.requests[entry.operation, entry.status]
        duration_us = entry.duration_us
        requests.total_duration_us += duration_us
        requests.buckets[bisect_left(_BUCKETS_US, duration_us)] += 1

    def count_unauthorized(self, operation: Operation, status: int) -> None:
        """Count a request that reached no sandbox; its duration is not measured."""
        self.requests[operation, status].unmeasured += 1
        self.unauthorized += 1

    def count_unavailable(self, operation: Operation | None) -> None:
        """Count a response of 503 because the store cannot be used; it is not in the journal.

        `operation` is None for a call of the control plane, and for a request that was counted
        before the store failed.
        """
        self.unavailable += 1
        if operation is not None:
            self.requests[operation, 503].unmeasured += 1


def _outcome(entry: Entry) -> str:
    if entry.status == 200:
        return "delivered"
    return "refused" if entry.status else "unanswered"
