"""The real clock."""

import time


class SystemClock:
    """Counts on from the machine's clock at creation, so a clock change never turns it back."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the real instant in Unix nanoseconds."""
        return self._offset_ns + time.monotonic_ns()
