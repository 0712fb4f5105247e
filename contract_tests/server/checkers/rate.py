"""A model of the rate limit of one key: how many requests count in the last 60 seconds."""

from collections import deque
from typing import Final

WINDOW_MS: Final = 60_000


class RateWindow:
    """Counts requests at exactly known instants; some of them may or may not count."""

    def __init__(self) -> None:
        self._admitted: deque[tuple[int, int, int]] = deque()
        self.certain = 0
        self.possible = 0

    def move_to(self, now_ms: int) -> None:
        """Forget what is 60 seconds old."""
        while self._admitted and now_ms - self._admitted[0][0] >= WINDOW_MS:
            _, certain, possible = self._admitted.popleft()
            self.certain -= certain
            self.possible -= possible

    def add(self, now_ms: int, count: int = 1, *, is_certain: bool = True) -> None:
        """Count requests that were admitted now."""
        certain = count if is_certain else 0
        self._admitted.append((now_ms, certain, count))
        self.certain += certain
        self.possible += count

    def wait_ms(self, limit: int, now_ms: int) -> int | None:
        """Return the time until a request is admitted, or None if it is not certain."""
        if self.certain != self.possible:
            return None
        left = self.certain
        for at_ms, count, _ in self._admitted:
            left -= count
            if left < limit:
                return at_ms + WINDOW_MS - now_ms
        return 0
