"""Measure how long a sandbox with many live tasks takes to move its clock by 15 days.

The request after that is measured too: it would show work that `advance` postpones.
"""

import time
from collections.abc import Callable
from functools import partial

from benchmarks.errors import BenchError
from benchmarks.mock import mock_server
from benchmarks.requests import status_request
from benchmarks.rounds import RoundLimits, Rounds
from benchmarks.single import body_of
from benchmarks.workbench import Part, Workbench

_TASKS = 100_000
_SWITCHES = ("--clock", "manual", "--generation-time", "1d")  # All tasks end within 15 days.


def _rounds(bench: Workbench) -> Rounds:
    with mock_server(bench.cores.server, *_SWITCHES) as mock:

        def advance(duration: str) -> None:
            mock.control("POST", "clock/advance", {"seconds": duration})

        while True:
            mock.reset()
            request = status_request(mock.submit(_TASKS)[-1:])
            advance("1s")  # The first call may do work that others do not.
            yield {
                "advance_ms": _duration_ms(partial(advance, "15d")),
                "after_advance_ms": _duration_ms(partial(body_of, mock.server.port, request)),
            }
            live = mock.control("GET", "sandbox")["counters"]["live_tasks"]
            if live:
                raise BenchError(f"{live} of {_TASKS} tasks are live after 15 days")


def _duration_ms(action: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    action()
    return (time.perf_counter() - began_s) * 1_000


ADVANCE = Part(
    name="advance",
    measures="`advance` over 100,000 live tasks",
    decisive=("advance_ms",),
    limits=RoundLimits(least=6, most=10),
    rounds=_rounds,
)
