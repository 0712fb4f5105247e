"""Compare a server that has a million live tasks with one that has a thousand."""

from random import Random

from benchmarks.mock import mock_server
from benchmarks.requests import status_request
from benchmarks.rounds import RoundLimits, Rounds
from benchmarks.workbench import Part, Workbench

TASKS = 1_000_000
_FEW_TASKS = 1_000
_SAMPLE = 10_000


def _rounds(bench: Workbench) -> Rounds:
    core = bench.cores.server
    with mock_server(core) as small, mock_server(core) as large:
        few = small.submit(_FEW_TASKS)
        many = Random(1).sample(large.submit(TASKS), _SAMPLE)
        for loads in bench.loads(
            {
                "thousand": (small.server, status_request(few)),
                "million": (large.server, status_request(many)),
            }
        ):
            yield {
                "million_p99_ratio": loads["million"].p99_us / loads["thousand"].p99_us,
                "million_p99_us": loads["million"].p99_us,
                "thousand_p99_us": loads["thousand"].p99_us,
            }


MILLION = Part(
    name="million",
    measures="p99 of status requests with 1,000,000 live tasks",
    decisive=("million_p99_ratio",),
    limits=RoundLimits(least=10, most=40),
    rounds=_rounds,
)
