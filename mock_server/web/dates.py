"""The `Date` header of responses."""

from email.utils import formatdate


class HttpDates:
    """Formats instants as HTTP dates; caches the last one, which most responses share."""

    def __init__(self) -> None:
        self._second = -1
        self._written = b""

    def write(self, now_ms: int) -> bytes:
        """Return the HTTP date of an instant in Unix milliseconds."""
        second = now_ms // 1000
        if second != self._second:
            self._written = formatdate(second, usegmt=True).encode()
            self._second = second
        return self._written
