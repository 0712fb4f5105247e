"""The command `contract-tests` in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
NETWORK_USED = 99  # exit status of a watched command that has touched the network
_PATIENCE_S = 120.0
_WATCHED = f"""
import os, sys

USES = {{"socket.__new__", "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo",
        "socket.gethostbyname"}}

def watch(event, args):
    starts_a_server = event == "subprocess.Popen" and args[0] == sys.executable
    if event in USES or starts_a_server:
        os.write(2, f"{{event}} {{args}}".encode())
        os._exit({NETWORK_USED})

sys.addaudithook(watch)
from contract_tests.__main__ import main
main()
"""


def contract_tests(
    *words: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    is_watched: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run it to its end. A watched one dies at once when it makes a socket or asks for a name."""
    begin = ["-c", _WATCHED] if is_watched else ["-m", "contract_tests"]
    command = [sys.executable, *begin, *(str(word) for word in words)]
    return subprocess.run(
        command,
        env=environment(env),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without a key of whoever runs the tests."""
    plain = {name: value for name, value in os.environ.items() if name != "APIXO_API_KEY"}
    return plain | {"PYTHONPATH": str(ROOT)} | dict(more or {})
