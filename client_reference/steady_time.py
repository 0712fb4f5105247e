"""The default clock of a client."""

import time
from typing import Final

_OFFSET_S: Final = time.time() - time.monotonic()


def steady_time() -> float:
    """Return epoch seconds that ignore later changes of the machine's clock.

    So nothing times out early if this clock is set forward, for example after a suspension.
    """
    return _OFFSET_S + time.monotonic()
