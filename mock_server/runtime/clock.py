"""The real clock."""

from time import monotonic_ns, time_ns


class SystemClock:
    """Counts on from the machine's clock at creation, so a clock change never turns it back."""

    def __init__(self) -> None:
        self._offset_ns = time_ns() - monotonic_ns()

    def now_ns(self) -> int:
        """Return the real instant in Unix nanoseconds."""
        return self._offset_ns + monotonic_ns()

    def monotonic_ns(self) -> int:
        """Return the nanoseconds since a fixed instant, for durations."""
        return monotonic_ns()

    def shift(self, by_ms: int) -> None:
        """Add this to what `now_ns` returns."""
        self._offset_ns += by_ms * 1_000_000
