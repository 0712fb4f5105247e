"""Keep the requests and tasks of a batch below the limits of an API key (LIM-1, LIM-2)."""

from bisect import insort
from collections import deque
from copy import copy
from threading import Lock

from client_reference.errors import ApixoError, RateLimited
from client_reference.retrying import LONGEST_CALL_S
from client_reference.steps import Flow
from client_reference.timeline import Timeline

CONCURRENCY_MAX = 1000  # LIM-2
REQUESTS_MAX = 9_000
"""The maximum of requests in any window.  It is a tenth below LIM-1: requests may arrive closer
together than they were sent, and `pace` sends some at their deadline."""

WINDOW_S = 60.0
_CHECK_AGAIN_S = 1.0  # The pause between two checks for a free place, in seconds.
_DEFAULT_WAIT_S = 2.0  # The pause after a 429 without `Retry-After`, in seconds.


class BatchStopped(ApixoError):
    """The batch was stopped.  Only the flows of the batch get this error, never the caller."""


class Limiter:
    """Limits concurrent tasks and requests per minute; all workers of a batch share one limiter.

    After a 429 for a submit, the number of places is the number of tasks in progress: each task
    that ends frees one place.  One more place is added after as many tasks have ended as there
    are places.
    """

    def __init__(self, concurrency: int, requests_max: int = REQUESTS_MAX) -> None:
        if type(concurrency) is not int or not 1 <= concurrency <= CONCURRENCY_MAX:
            raise ValueError(
                f"concurrency: must be an integer from 1 to {CONCURRENCY_MAX}"
                f" (got {concurrency!r:.60})"
            )
        self.concurrency = concurrency
        self.requests_max = requests_max
        self._places = float(concurrency)
        self._tasks = 0
        self._opens_s = 0.0
        self._sent_s: deque[float] = deque()
        self._lock = Lock()
        self._closed_by: ApixoError | None = None
        self._is_stopped = False

    def acquire(self, now_s: float) -> float:
        """Take a place for a task and return 0, or return the seconds until the next attempt.

        Raises the error with which the limiter was closed.
        """
        with self._lock:
            if self._closed_by is not None:
                raise copy(self._closed_by)
            if self._tasks + 1 <= self._places and now_s >= self._opens_s:
                self._tasks += 1
                return 0.0
            return max(self._opens_s - now_s, _CHECK_AGAIN_S)

    def release(self) -> None:
        """Free the place of a task that has ended."""
        with self._lock:
            self._tasks -= 1
            self._places = min(float(self.concurrency), self._places + 1 / self._places)

    def release_after_429(self, now_s: float, error: RateLimited) -> bool:
        """Free the place of a submit that got a 429; return whether other tasks are in progress.

        If the requested wait is longer than any call may take, the limiter is closed.
        """
        with self._lock:
            self._tasks -= 1
            self._places = float(max(1, self._tasks))
            wait_s = _DEFAULT_WAIT_S if error.retry_after is None else error.retry_after
            if wait_s > LONGEST_CALL_S:
                self._closed_by = self._closed_by or error
            else:
                self._opens_s = max(self._opens_s, now_s + wait_s)
            return self._tasks > 0

    def close(self, error: ApixoError) -> None:
        """Make each further `acquire` raise this error."""
        with self._lock:
            self._closed_by = self._closed_by or error

    def stop(self) -> None:
        """Prevent further requests."""
        self.close(BatchStopped())
        self._is_stopped = True

    def pace(self, timeline: Timeline, until_s: float) -> Flow[None]:
        """Delay a request until the rate limit allows it (LIM-1), but not beyond its deadline.

        A request that is sent at its deadline is the last one for its task.  Each worker sends at
        most one such request before it waits to submit again.
        """
        if self._is_stopped:
            raise BatchStopped
        with self._lock:
            now_s = timeline.now_s()
            is_full = len(self._sent_s) == self.requests_max
            free_s = max(now_s, self._sent_s[0] + WINDOW_S) if is_full else now_s
            sent_s = max(now_s, min(free_s, until_s))
            if is_full:
                self._sent_s.popleft()
            if sent_s == free_s:
                self._sent_s.append(sent_s)
            else:
                insort(self._sent_s, sent_s)
        if sent_s > now_s:
            yield from timeline.sleep(sent_s - now_s)
