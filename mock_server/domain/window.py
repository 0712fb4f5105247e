"""Limit the number of requests in every 60-second window (LIM-1, LIM-3)."""

from array import array
from collections.abc import Sequence
from typing import Self

WINDOW_MS = 60_000


class Window:
    """A ring buffer with the instants of the last admitted requests.

    A request is admitted if the request `limit` positions before it is at least 60 seconds old.
    This takes constant time and eight bytes per request.
    """

    __slots__ = ("_capacity", "_limit", "_oldest", "_ring")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # The capacity is the largest limit so far, so a lowered limit loses no instant.
        self._capacity = limit
        # The ring grows to its capacity; then each new instant overwrites the oldest.
        self._ring = array("q")
        self._oldest = 0  # The position of the oldest instant.

    @classmethod
    def of(cls, limit: int, capacity: int, instants_ms: Sequence[int]) -> Self:
        """Return a window with these instants, oldest first."""
        window = cls(limit)
        window._capacity = capacity
        window._ring = array("q", instants_ms)
        return window

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def capacity(self) -> int:
        """The largest number of instants that the window keeps."""
        return self._capacity

    def instants_ms(self) -> "array[int]":
        """Return a copy of all instants, oldest first, also those outside the window."""
        at = self._oldest
        return self._ring[at:] + self._ring[:at]

    def admit(self, now_ms: int) -> bool:
        """Count a request and return True; return False without counting it above the limit."""
        ring = self._ring
        size = len(ring)
        if size >= self._limit and now_ms - ring[self._oldest - self._limit] < WINDOW_MS:
            return False
        if size < self._capacity:
            ring.append(now_ms)
            return True
        oldest = self._oldest
        ring[oldest] = now_ms
        self._oldest = oldest + 1 if oldest + 1 < self._capacity else 0
        return True

    def admitted_ms(self, now_ms: int) -> list[int]:
        """Return the instants within the window, oldest first."""
        return [each for each in self.instants_ms() if now_ms - each < WINDOW_MS]

    def wait_ms(self, now_ms: int) -> int:
        """Return the time until the next request is admitted; 0 if it would be admitted now."""
        if len(self._ring) < self._limit:
            return 0
        wait_ms = self._ring[self._oldest - self._limit] + WINDOW_MS - now_ms
        return max(wait_ms, 0)

    def resize(self, limit: int) -> None:
        """Change the limit; requests admitted before still count."""
        if limit > self._capacity:
            self._ring = self.instants_ms()
            self._oldest = 0
            self._capacity = limit
        self._limit = limit
