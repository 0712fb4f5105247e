"""Describe the machine and the software that was measured."""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks.cores import Cores

_ROOT = Path(__file__).parents[1]
_LIBRARIES = ("httptools", "msgspec", "uvicorn", "uvloop")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures are from."""

    cpu: str
    cores: int
    server_core: int
    load_core: int
    kernel: str
    python: str
    libraries: dict[str, str]
    load_average: float  # Of the last minute before the first measurement.


def this_machine(cores: Cores) -> Machine:
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        server_core=cores.server,
        load_core=cores.load,
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        libraries={name: version(name) for name in _LIBRARIES},
        load_average=round(os.getloadavg()[0], 2),
    )


def program_version(*command: str) -> str:
    """Return the first line that a command prints about its version."""
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return ended.stdout.strip().partition("\n")[0]


def now_text() -> str:
    """Return the time in UTC, such as "2026-11-28T09:30:00Z"."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit() -> str | None:
    """Return the commit of the checkout, with "+" if files differ from it; None without Git."""
    if shutil.which("git") is None:
        return None
    head = _git("rev-parse", "--short=12", "HEAD")
    if head is None:
        return None
    return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str | None:
    ended = subprocess.run(
        ["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=False
    )
    return ended.stdout.strip() if ended.returncode == 0 else None


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
