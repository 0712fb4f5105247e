from email.utils import formatdate


class HttpDates:
    """Instants as HTTP dates; the last one is kept, for most answers share their second."""

    def __init__(self) -> None:
        self._second = -1
        self._written = b""

    def write(self, now_ms: int) -> bytes:
        second = now_ms // 1000
        if second != self._second:
            self._written = formatdate(second, usegmt=True).encode()
            self._second = second
        return self._written
