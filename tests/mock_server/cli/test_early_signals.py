"""A signal that comes before the server serves ends it as cleanly as one that comes later."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mock_server.cli.commands import COMMAND, environment
from tests.patience import PATIENCE_S


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_during_the_start_ends_it_quietly(number: signal.Signals, tmp_path: Path) -> None:
    """The start waits for its settings, which come through a pipe and do not end."""
    config = tmp_path / "pipe.toml"
    os.mkfifo(config)
    with (
        subprocess.Popen(
            [COMMAND, "--config", config], stderr=subprocess.PIPE, text=True, env=environment({})
        ) as starting,
        config.open("w", encoding="ascii"),
    ):  # opens as soon as the command reads
        starting.send_signal(number)
        _, log = starting.communicate(timeout=PATIENCE_S)

    assert (starting.returncode, log) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_during_the_imports_ends_the_start_quietly(number: signal.Signals) -> None:
    program = (
        "import os, sys\n"
        "from mock_server.__main__ import main\n"
        "class SignalDuringImport:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'click':\n"
        f"            os.kill(os.getpid(), {number:d})\n"
        "sys.meta_path.insert(0, SignalDuringImport())\n"
        "main()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, "--port", "70000"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
