"""Observe a server and the worker processes that it has started, from outside."""

import os
import resource
import signal
import time
from pathlib import Path

import msgspec

from benchmarks.errors import BenchError
from benchmarks.soak.observed_server import Held
from benchmarks.soak.series import Sample

_POLL_S = 0.05
_ANSWER_S = 30


class ServerEnded(BenchError):
    """The server has ended during the soak test."""

    exit_code = 1


class Observation:
    """Reads what the processes of a server use. Raise ServerEnded if the server has ended."""

    def __init__(self, pid: int, prefix: Path) -> None:
        self._pid = pid
        self._prefix = prefix

    def sample(self, at_s: float) -> Sample:
        """Return memory and descriptors of all processes."""
        memory_bytes = descriptors = 0
        for process in self._processes():
            try:
                pages = int((process / "statm").read_text("ascii").split()[1])
                descriptors += len(list((process / "fd").iterdir()))
            except OSError:
                raise self._ended() from None
            memory_bytes += pages * resource.getpagesize()
        return Sample(at_s, memory_bytes, descriptors)

    def held(self) -> Held:
        """Return the asyncio tasks and the threads of all processes. This blocks for a moment."""
        parts = [self._held_by(int(process.name)) for process in self._processes()]
        return Held(
            tasks=sum(each.tasks for each in parts), threads=sum(each.threads for each in parts)
        )

    def _held_by(self, pid: int) -> Held:
        path = Path(f"{self._prefix}.{pid}")
        path.unlink(missing_ok=True)
        until_s = time.monotonic() + _ANSWER_S
        try:
            os.kill(pid, signal.SIGUSR1)
        except ProcessLookupError:
            raise self._ended() from None
        while not path.exists():
            if time.monotonic() > until_s:
                raise BenchError(f"process {pid} of the server did not handle SIGUSR1")
            time.sleep(_POLL_S)
        return msgspec.json.decode(path.read_bytes(), type=Held)

    def _processes(self) -> list[Path]:
        process = Path(f"/proc/{self._pid}")
        try:
            children = (process / "task" / process.name / "children").read_text("ascii").split()
        except OSError:
            raise self._ended() from None
        return [process, *(Path("/proc") / child for child in children)]

    def _ended(self) -> ServerEnded:
        return ServerEnded("a process of the server ended during the soak test")
