"""The clock of the machine is set forward while a client waits for a task."""

import subprocess
import sys

from tests.mock_server.cli.commands import environment, started
from tests.mock_server.faults.machine_clock import MachineClock
from tests.patience import PATIENCE_S

# It sets the clock while it waits. libfaketime spoils `time.sleep`, but no waiting for events.
GENERATE = """
import sys
from pathlib import Path
from threading import Event
from client_reference import Client

def sleep(seconds):
    Path(sys.argv[2]).write_text("+1d\\n")
    Event().wait(seconds)

client = Client("sk-key", sys.argv[1], sleep=sleep, poll_after_s=0.2, poll_every_s=0.2)
print(len(client.generate("[[mock pending=0 processing=1s]] a fox").urls))
"""


def test_client_waits_for_its_task_although_the_clock_is_set_forward(
    machine_clock: MachineClock,
) -> None:
    with started("--log-level", "warning") as server:
        done = subprocess.run(
            [sys.executable, "-c", GENERATE, server.url, str(machine_clock.file)],
            env=environment(machine_clock.variables),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
