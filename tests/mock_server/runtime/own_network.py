"""Run a program with its own network and its own files, without effect on the machine."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

_ROOT = Path(__file__).parents[3]


def _own_network() -> list[str]:
    """Return a command prefix that gives a program its own network and mounts, or skip."""
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        pytest.skip("needs the commands `ip` (iproute2) and `unshare` (util-linux)")
    unshare = ["unshare", "--net", "--mount"]
    for command in [unshare, [*unshare, "--user", "--map-root-user"]]:
        probe = [*command, "ip", "link", "set", "lo", "up"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return command
    pytest.skip("not permitted to make a network namespace with `unshare`")


def run_in_own_network(file: str) -> str:
    """Run a Python file as a program with a network of its own, or skip; return what it prints."""
    result = subprocess.run(
        [*_own_network(), sys.executable, file],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * PATIENCE_S,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def begin_network() -> None:
    """Start the loopback interface of a program that `run_in_own_network` has started."""
    assert [name for _, name in socket.if_nameindex()] == ["lo"], "not in a network of its own"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def replace_file(path: str, content: str) -> None:
    """Replace a file of the machine, for this program only."""
    with tempfile.NamedTemporaryFile("w", suffix=Path(path).name) as file:
        file.write(content)
        file.flush()
        subprocess.run(["mount", "--bind", file.name, path], check=True)
