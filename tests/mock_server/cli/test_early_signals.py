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


IGNORED = """
import os, signal, sys, weakref
from mock_server import {module}
from mock_server.__main__ import main
class Something: pass
def with_signal(function):
    def wrapped(*args, **kwargs):
        thing = Something()
        reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))
        del thing
        return function(*args, **kwargs)
    return wrapped
{module}.{name} = with_signal({module}.{name})
main()
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [("command", "load_settings"), ("server", "listen"), ("server", "uvicorn_config")],
)
def test_a_signal_during_a_callback_that_ignores_exceptions_ends_the_start(
    module: str, name: str
) -> None:
    """As the import system has them."""
    done = subprocess.run(
        [sys.executable, "-c", IGNORED.format(module=module, name=name), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_a_signal_before_the_event_loop_runs_ends_the_start_quietly() -> None:
    program = (
        "import os, signal, uvicorn\n"
        "from mock_server.__main__ import main\n"
        "serve = uvicorn.Server.serve\n"
        "def serve_after_signal(*args, **kwargs):\n"
        "    serving = serve(*args, **kwargs)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return serving\n"
        "uvicorn.Server.serve = serve_after_signal\n"
        "main()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert (done.returncode, done.stdout) == (0, "")
    assert "never awaited" not in done.stderr
