"""Starts the mock in a separate process, with a random seed."""

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from contract_tests.contract.errors import TargetError

_STOP_S: Final = 30.0  # After this time, a mock that does not stop is killed.


def draw_seed() -> int:
    """Return a new random seed."""
    return secrets.randbelow(2**32)


@contextmanager
def start_mock(seed: int, *switches: str, port: int = 0) -> Iterator[str]:
    """Start the mock with these switches, yield its address, and stop it afterwards.

    It has its own process group, so that Ctrl-C does not stop it before the cases that use it.

    Raises:
        TargetError: The mock did not start.
    """
    command = (sys.executable, "-m", "mock_server", "--port", str(port), "--seed", str(seed),
               "--log-level", "warning", *switches)  # fmt: skip
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(  # noqa: S603  # our own module
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            process_group=0,
        ) as process,
    ):
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: "subprocess.Popen[str]", log: IO[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(_STOP_S)
        log.seek(0)
        raise TargetError(f"the mock did not start: {log.read().strip()[-500:]}")
    return line.split()[-1]
