"""What SIGINT and SIGTERM do until the server handles them: they end the process with status 0."""

import os
import signal
import sys
from types import FrameType


class EarlySignals:
    """The signals of a starting process. `received` is the last one.

    They end the process at once as long as there is nothing to clean up. Raising SystemExit would
    not be enough: Python ignores exceptions in some callbacks, such as those of its imports.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._must_clean_up = False
        self._is_noted_only = False

    def handle(self) -> None:
        """Handle the signals of this process from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def clean_up(self) -> None:
        """End the process by SystemExit from now on, so that temporary files are removed."""
        self._must_clean_up = True

    def note_only(self) -> None:
        """Only set `received` from now on, because an event loop is about to look at it."""
        self._is_noted_only = True

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.received = signal.Signals(number)
        if not self._must_clean_up:
            os._exit(0)
        if not self._is_noted_only:
            sys.exit(0)


# A process has one handler for each signal.
EARLY_SIGNALS = EarlySignals()
