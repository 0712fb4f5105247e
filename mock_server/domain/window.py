"""The rate limit: never more than so many requests in any 60 seconds (LIM-1, LIM-3)."""

from array import array

WINDOW_MS = 60_000


class Window:
    """A ring with the instants of the last admitted requests: eight bytes each, O(1) time.

    A request is admitted when the one `limit` places before it is 60 seconds old.
    """

    __slots__ = ("_capacity", "_limit", "_next", "_ring")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._capacity = limit  # the largest limit so far, so that no instant is forgotten
        self._ring = array("q")  # grows up to its capacity, then is written round
        self._next = 0  # where the next instant goes

    def admit(self, now_ms: int) -> bool:
        """Count a request and return True, or leave everything as it is and return False."""
        ring, at = self._ring, self._next
        size = len(ring)
        if size >= self._limit and now_ms - ring[at - self._limit] < WINDOW_MS:
            return False
        if size < self._capacity:
            ring.append(now_ms)
        else:
            ring[at] = now_ms
        self._next = at + 1 if at + 1 < self._capacity else 0
        return True

    def admitted_ms(self, now_ms: int) -> list[int]:
        """Return the instants that still count, oldest first."""
        at = self._next if len(self._ring) == self._capacity else 0
        return [each for each in (*self._ring[at:], *self._ring[:at]) if now_ms - each < WINDOW_MS]

    def wait_ms(self, now_ms: int) -> int:
        """Return how long from now until a request would be admitted; 0 when it is at once."""
        if len(self._ring) < self._limit:
            return 0
        wait_ms = self._ring[self._next - self._limit] + WINDOW_MS - now_ms
        return max(wait_ms, 0)

    def resize(self, limit: int) -> None:
        """Take another limit; what has been admitted goes on counting."""
        if limit > self._capacity:
            at = self._next if len(self._ring) == self._capacity else 0
            self._ring = self._ring[at:] + self._ring[:at]
            self._next = len(self._ring)
            self._capacity = limit
        self._limit = limit
