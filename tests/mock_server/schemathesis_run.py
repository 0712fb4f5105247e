"""Schemathesis against a server: requests made from its OpenAPI document."""

import os
import subprocess
import sys
from pathlib import Path

from mock_server.settings import Settings
from tests.patience import PATIENCE_S

_KEY = "sk-schemathesis"
_COMMAND = Path(sys.executable).with_name("schemathesis")

# The server lists its one key, so that others are tried in vain. Time stands still, so that no
# callback is ever sent to a generated address.
SETTINGS = Settings(clock="manual", seed=7, egress="loopback", api_key=(_KEY,))


def _environment() -> dict[str, str]:
    """Return this environment without coverage, which would slow a program that is not ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def found_nothing(document: str, folder: Path, *, examples: int, **switches: str) -> str:
    """Run all checks with this many examples an operation; return what the command prints.

    `document` is an address or a file. Calls that wait get `timeout=0`. The command is used
    because the pytest plugin of Schemathesis does not support pytest 9.2.
    """
    (folder / "schemathesis.toml").write_text("[parameters]\ntimeout = 0\n")
    given = {
        "checks": "all",
        "header": f"Authorization: Bearer {_KEY}",
        "max-examples": str(examples),
        "seed": "7",
        "generation-database": "none",
    } | {name.replace("_", "-"): value for name, value in switches.items()}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    ended = subprocess.run(
        [_COMMAND, "run", document, "--continue-on-failure", "--no-color", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=_environment(),
        timeout=10 * PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
