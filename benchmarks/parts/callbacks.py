"""Measure 10,000 callbacks that are due at once, and the status requests of another key."""

import asyncio
import statistics
from functools import partial

import msgspec

from benchmarks.burst import Burst, BurstReceiver, measure_burst
from benchmarks.mock import Mock, mock_server
from benchmarks.requests import status_request
from benchmarks.rounds import RoundLimits, Rounds
from benchmarks.workbench import Part, Workbench

_COUNT = 10_000
_OTHER_KEY = "bench-other"
_FAST = {"mode": "real", "speed": 10_000}  # All tasks end half a millisecond later.
_SWITCHES = ("--clock", "manual", "--generation-time", "5s")


def _rounds(bench: Workbench) -> Rounds:
    with mock_server(bench.cores.server, *_SWITCHES) as mock:
        [other] = msgspec.structs.replace(mock, key=_OTHER_KEY).submit(1)
        _burst(mock, other, count=1)  # The first callback imports modules.
        while True:
            before_s = mock.server.cpu_s
            burst = _burst(mock, other, count=_COUNT)
            yield {
                "callbacks_per_s": _COUNT / burst.duration_s,
                "callbacks_p99_ms": statistics.quantiles(burst.latencies_ms, n=100)[98],
                "callbacks_longest_ms": burst.latencies_ms[-1],
                "callbacks_cpu_us": (mock.server.cpu_s - before_s) * 1e6 / _COUNT,
            }


def _burst(mock: Mock, other_task: str, *, count: int) -> Burst:
    async def main() -> Burst:
        receiver = BurstReceiver()
        async with receiver.listening():
            mock.reset()
            url = f"{receiver.url}/callback"
            mock.submit(count, callback_url=url)
            begin = partial(mock.control, "PUT", "clock", _FAST)
            request = status_request([other_task], _OTHER_KEY)
            return await measure_burst(receiver, count, begin, mock.server.port, request)

    return asyncio.run(main())


CALLBACKS = Part(
    name="callbacks",
    measures="10,000 callbacks that are due at once",
    decisive=("callbacks_per_s", "callbacks_p99_ms"),
    limits=RoundLimits(least=5, most=20),
    rounds=_rounds,
)
