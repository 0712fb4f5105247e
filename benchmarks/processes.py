"""Start servers on their core and wait until they answer."""

import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from benchmarks.cores import bound_to
from benchmarks.errors import BenchError
from benchmarks.single import status_and_body
from benchmarks.wrk import Request

_START_S = 60
_STOP_S = 10
_POLL_S = 0.0005
_SHOWN_BYTES = 2_000


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A running server."""

    port: int
    pid: int
    start_s: float  # From the start of the process until its first response.

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def cpu_s(self) -> float:
        """Return the time that its threads have run so far, in steps of 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        user_ticks, system_ticks = map(int, fields[11:13])
        return (user_ticks + system_ticks) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
        return int(pages) * resource.getpagesize()


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    probe: Request,
    core: int | None = None,
    log: BinaryIO | None = None,
) -> Iterator[Server]:
    """Run a server until the block ends. It is ready when it answers the probe with 200.

    It may use all cores unless `core` names one. `log` gets all that it writes. Raise BenchError if
    it ends before it is ready or does not answer in a minute.
    """
    with nullcontext(log) if log is not None else tempfile.TemporaryFile() as output:
        began_s = time.perf_counter()
        with nullcontext() if core is None else bound_to(core):
            process = subprocess.Popen(
                command,
                env={
                    k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"
                },  # A start uses the bytecode of the one before.
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # So that its child processes end with it.
            )
        try:
            while not _answers(port, probe):
                if process.poll() is not None or time.perf_counter() - began_s > _START_S:
                    output.seek(0)
                    shown = output.read()[-_SHOWN_BYTES:].decode(errors="replace").strip()
                    raise BenchError(
                        f"{Path(command[0]).name} did not start: {shown or 'no output'}"
                    )
                time.sleep(_POLL_S)
            yield Server(port=port, pid=process.pid, start_s=time.perf_counter() - began_s)
        finally:
            _stop(process)


def python_command(program: str) -> str:
    """Return the path of a command that is installed beside this Python."""
    path = Path(sys.executable).parent / program
    if not path.exists():
        raise BenchError(f"{program} is not installed beside {sys.executable}; run `make setup`")
    return str(path)


def python_module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this project."""
    return [sys.executable, "-m", name, *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int, probe: Request) -> bool:
    try:
        status, _ = status_and_body(port, probe)
    except (OSError, http.client.HTTPException):
        return False
    return status == 200


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and the processes that it has started."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_S)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # All of them have ended.
        os.killpg(process.pid, number)
