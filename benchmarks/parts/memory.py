"""Measure how much a server grows by a million live tasks, with all that it keeps about them."""

from benchmarks.mock import mock_server
from benchmarks.parts.million import TASKS
from benchmarks.rounds import RoundLimits, Rounds
from benchmarks.workbench import Part, Workbench

_FIRST_TASKS = 20_000  # They fill the journal, which does not grow after that.


def _rounds(bench: Workbench) -> Rounds:
    while True:
        with mock_server(bench.cores.server) as mock:
            mock.submit(_FIRST_TASKS)
            before = mock.server.resident_bytes
            mock.submit(TASKS)
            after = mock.server.resident_bytes
        yield {"task_bytes": (after - before) / TASKS, "process_mib": after / 2**20}


MEMORY = Part(
    name="memory",
    measures="memory of 1,000,000 live tasks",
    decisive=(),
    limits=RoundLimits(least=3, most=3),
    rounds=_rounds,
)
