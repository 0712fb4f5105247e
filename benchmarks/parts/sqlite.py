"""Compare the store in a file with the one in memory."""

from tempfile import TemporaryDirectory

from benchmarks.mock import Mock, mock_server
from benchmarks.requests import status_request, submit_request
from benchmarks.rounds import RoundLimits, Rounds, alternating
from benchmarks.workbench import Part, ServerLoad, Workbench


def _rounds(bench: Workbench) -> Rounds:
    core = bench.cores.server
    with (
        TemporaryDirectory() as folder,
        mock_server(core) as memory,
        mock_server(core, "--store", f"sqlite:{folder}/state.db") as sqlite,
    ):
        for mock in (memory, sqlite):
            bench.wrk.warm_up(mock.url, submit_request())
        for loads in alternating(
            {
                "memory status": lambda: _load_status(bench, memory),
                "sqlite status": lambda: _load_status(bench, sqlite),
                "memory submit": lambda: _load_submit(bench, memory),
                "sqlite submit": lambda: _load_submit(bench, sqlite),
            }
        ):
            status, submit = loads["sqlite status"], loads["sqlite submit"]
            yield {
                "sqlite_status_ratio": status.per_s / loads["memory status"].per_s,
                "sqlite_submit_ratio": submit.per_s / loads["memory submit"].per_s,
                "sqlite_status_per_s": status.per_s,
                "sqlite_submit_per_s": submit.per_s,
                "sqlite_status_p99_us": status.p99_us,
                "sqlite_status_cpu_us": status.cpu_us,
                "sqlite_submit_cpu_us": submit.cpu_us,
            }


def _load_status(bench: Workbench, mock: Mock) -> ServerLoad:
    """Load a mock with status requests for its only task."""
    mock.reset()
    return bench.load(mock.server, status_request(mock.submit(1)))


def _load_submit(bench: Workbench, mock: Mock) -> ServerLoad:
    """Load a mock with submits, without the tasks of the rounds before."""
    mock.reset()
    return bench.load(mock.server, submit_request())


SQLITE = Part(
    name="sqlite",
    measures="rate of status requests and submits with --store sqlite:FILE",
    decisive=("sqlite_status_ratio", "sqlite_submit_ratio"),
    limits=RoundLimits(least=10, most=40),
    rounds=_rounds,
)
