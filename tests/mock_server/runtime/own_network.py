"""Run a program with its own network and its own files, without effect on the machine."""

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest


def own_network() -> list[str]:
    """Return a command prefix that gives a program its own network and mounts, or skip."""
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        pytest.skip("needs the commands `ip` (iproute2) and `unshare` (util-linux)")
    unshare = ["unshare", "--net", "--mount"]
    for command in [unshare, [*unshare, "--user", "--map-root-user"]]:
        probe = [*command, "ip", "link", "set", "lo", "up"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return command
    pytest.skip("not permitted to make a network namespace with `unshare`")


def begin_network() -> None:
    """Start the loopback interface of a program that `own_network` has started."""
    assert [name for _, name in socket.if_nameindex()] == ["lo"], "not in a network of its own"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def replace_file(path: str, content: str) -> None:
    """Replace a file of the machine, for this program only."""
    with tempfile.NamedTemporaryFile("w", suffix=Path(path).name) as file:
        file.write(content)
        file.flush()
        subprocess.run(["mount", "--bind", file.name, path], check=True)
