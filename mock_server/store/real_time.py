"""The real time of a store. It continues where the last process stopped.

The clock of the machine may have been set back in the meantime, and a sandbox relies on real time
that never goes back. `LogOrder` would let its time stand still until the machine catches up.
"""

import logging

from mock_server.domain.ports import RealClock

log = logging.getLogger("mock_server.store")

_SMALL_MS = 1_000  # Clocks of machines differ by less.


def catch_up(clock: RealClock, latest_ms: int) -> None:
    """Let the clock show at least this real instant from now on, and log a large difference."""
    behind_ms = latest_ms - clock.now_ns() // 1_000_000
    if behind_ms <= 0:
        return
    clock.shift(behind_ms)
    if behind_ms > _SMALL_MS:
        log.warning(
            "the clock of this machine is %.0f s behind the last use of the store; the server"
            " continues with the time of the store (to use that of the machine, remove all"
            " sandboxes and start again)",
            behind_ms / 1000,
        )
