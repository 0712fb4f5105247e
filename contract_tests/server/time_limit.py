"""The time that a case may take, and the end of its waits when the run is stopped."""

import time
from collections.abc import Callable
from threading import Event as Signal
from typing import Final

from contract_tests.server.interruptions import CaseTimedOut, RunStopped

LOOK_S: Final = 0.25
"""How long a wait may not notice that the run is stopped, in seconds."""


class TimeLimit:
    """Every wait of a case asks whether it may go on. Without `limit_s` only `stop` ends it."""

    def __init__(
        self,
        limit_s: float | None = None,
        stop: Signal | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit_s = limit_s
        self._stop = stop or Signal()
        self._clock = clock
        self._until_s = None if limit_s is None else clock() + limit_s

    def check(self) -> None:
        """Raise RunStopped or CaseTimedOut if the case must end."""
        if self._stop.is_set():
            raise RunStopped("the run was stopped")
        if self._until_s is not None and self._clock() >= self._until_s:
            raise CaseTimedOut(
                f"not finished within {self._limit_s:g} s; --timeout sets another limit"
            )

    def wait(self, seconds: float) -> None:
        """Wait in real time. Raise RunStopped or CaseTimedOut, as soon as the case must end."""
        left_s = seconds
        if self._until_s is not None:
            left_s = min(seconds, max(0.0, self._until_s - self._clock()))
        self._stop.wait(left_s)
        self.check()
