"""The time of one flow, for its deadlines."""

from collections.abc import Callable

from client_reference.steps import Flow, Sleep


class Timeline:
    """Reads a clock that may be set back, and adds up the sleeps of the flow.

    Therefore a clock that is set back or stops cannot extend a deadline.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._latest_s = clock()

    def now_s(self) -> float:
        """Return epoch seconds, never less than at an earlier call."""
        self._latest_s = max(self._latest_s, self._clock())
        return self._latest_s

    def sleep(self, seconds: float) -> Flow[None]:
        """Yield a step that lets the client sleep for this many seconds."""
        wakes_s = self.now_s() + seconds
        yield Sleep(seconds)
        self._latest_s = max(self._latest_s, wakes_s)
