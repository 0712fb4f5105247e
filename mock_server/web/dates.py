"""The `Date` header of responses."""

from email.utils import formatdate

from mock_server.web.answer import Header


class HttpDates:
    """Formats instants as HTTP dates; caches the last one, which most responses share."""

    def __init__(self) -> None:
        self._second = -1
        self._header: Header = (b"date", b"")

    def header(self, now_ms: int) -> Header:
        """Return the header for an instant in Unix milliseconds."""
        second = now_ms // 1000
        if second != self._second:
            self._header = (b"date", formatdate(second, usegmt=True).encode())
            self._second = second
        return self._header
