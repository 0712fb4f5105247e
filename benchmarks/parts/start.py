"""Compare the time from the start of a process until its first response."""

from benchmarks.bare_server import bare_command
from benchmarks.mock import HEALTH, mock_command
from benchmarks.processes import free_port, running
from benchmarks.rounds import RoundLimits, Rounds, alternating
from benchmarks.workbench import Part, Workbench


def _rounds(bench: Workbench) -> Rounds:
    def bare_s() -> float:
        port = free_port()
        return _start_s(bench, bare_command("status", port), port)

    def mock_s() -> float:
        port = free_port()
        return _start_s(bench, mock_command(port), port)

    bare_s()  # The first start of each reads files that the later ones find in memory.
    mock_s()
    for times in alternating({"bare": bare_s, "mock": mock_s}):
        yield {
            "start_ratio": times["mock"] / times["bare"],
            "start_s": times["mock"],
            "bare_start_s": times["bare"],
        }


def _start_s(bench: Workbench, command: list[str], port: int) -> float:
    with running(command, port=port, probe=HEALTH, core=bench.cores.server) as server:
        return server.start_s


START = Part(
    name="start",
    measures="cold start to the first response",
    decisive=("start_ratio", "start_s"),
    limits=RoundLimits(least=10, most=40),
    rounds=_rounds,
)
