"""The real time of requests and callbacks."""

import time
from typing import Final

# The clock of the machine may be set while a run is going on; the monotonic one cannot.
_OFFSET_S: Final = time.time() - time.monotonic()


def real_ms() -> int:
    """Return the current time in Unix milliseconds; it never goes back within a process."""
    return round((_OFFSET_S + time.monotonic()) * 1000)
