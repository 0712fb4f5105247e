"""Compare the times of small and large work on one machine, so that its speed does not matter."""

import gc
import math
import time
from collections.abc import Callable

Work = Callable[[], object]
Clock = Callable[[], float]

_FEWEST_ROUNDS, _MOST_ROUNDS = 2, 8


def growth(small: Work, large: Work, limit: float, clock: Clock = time.thread_time) -> float:
    """Return how many times as long `large` takes as `small`, in CPU time.

    Both run in turn, and the fastest run of each counts, because whatever else the machine does
    only adds time. They run again while the result is not below the limit.
    """
    small_s = large_s = math.inf
    for rounds in range(1, _MOST_ROUNDS + 1):
        small_s = min(small_s, seconds(small, clock))
        large_s = min(large_s, seconds(large, clock))
        if rounds >= _FEWEST_ROUNDS and large_s < limit * small_s:
            break
    return large_s / small_s


def seconds(run: Work, clock: Clock = time.thread_time) -> float:
    """Return how long a call takes. Garbage of other tests is not collected meanwhile."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        began_s = clock()
        run()
        return clock() - began_s
    finally:
        if was_enabled:
            gc.enable()
