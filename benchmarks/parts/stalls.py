"""Measure how long other requests wait at most while one client makes the server work hard."""

from benchmarks.rounds import RoundLimits, Rounds
from benchmarks.stalls.measuring import longest_stalls_ms
from benchmarks.stalls.watched import watched_server
from benchmarks.workbench import Part, Workbench


def _rounds(bench: Workbench) -> Rounds:
    while True:
        # A new server also does what it does only once.
        with watched_server(bench.cores.server) as watched:
            stalls_ms = dict(longest_stalls_ms(watched))
        yield {
            "longest_stall_ms": max(stalls_ms.values()),
            **{f"stall_{name}_ms": stall_ms for name, stall_ms in stalls_ms.items()},
        }


STALLS = Part(
    name="stalls",
    measures="the longest stall of the event loop in each of many cases",
    decisive=(),
    limits=RoundLimits(least=3, most=3),
    rounds=_rounds,
)
