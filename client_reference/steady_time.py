"""The default clock of a client."""

import time
from typing import Final

_OFFSET_S: Final = time.time() - time.monotonic()


def steady_time() -> float:
    """Return epoch seconds, counted on from the start of the process.

    If the clock of the machine is set, for example after a suspension, nothing times out early.
    """
    return _OFFSET_S + time.monotonic()
