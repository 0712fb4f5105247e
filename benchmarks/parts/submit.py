"""Compare submits with a bare callable that decodes the body."""

from benchmarks.bare_server import bare_server
from benchmarks.mock import Mock, mock_server
from benchmarks.requests import submit_request
from benchmarks.rounds import RoundLimits, Rounds, alternating
from benchmarks.workbench import Part, ServerLoad, Workbench


def _rounds(bench: Workbench) -> Rounds:
    core, request = bench.cores.server, submit_request()
    with bare_server("submit", core) as bare, mock_server(core) as mock:
        bench.wrk.warm_up(bare.url, request)
        bench.wrk.warm_up(mock.url, request)
        for loads in alternating(
            {
                "bare": lambda: bench.load(bare, request),
                "mock": lambda: _load_empty(bench, mock),
            }
        ):
            yield {
                "submit_rate_ratio": loads["mock"].per_s / loads["bare"].per_s,
                "submit_per_s": loads["mock"].per_s,
                "bare_submit_per_s": loads["bare"].per_s,
                "submit_core_share": loads["mock"].core_share,
                "bare_submit_core_share": loads["bare"].core_share,
                "submit_cpu_us": loads["mock"].cpu_us,
                "bare_submit_cpu_us": loads["bare"].cpu_us,
            }


def _load_empty(bench: Workbench, mock: Mock) -> ServerLoad:
    """Load the mock without the tasks of the rounds before, so that all rounds are alike."""
    mock.reset()
    return bench.load(mock.server, submit_request())


SUBMIT = Part(
    name="submit",
    measures="rate of submits",
    decisive=("submit_rate_ratio",),
    limits=RoundLimits(least=10, most=40),
    rounds=_rounds,
)
