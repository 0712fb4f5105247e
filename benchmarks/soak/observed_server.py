"""Run `mock-server` so that a signal makes it write what it holds: asyncio tasks and threads.

`python -m benchmarks.soak.observed_server PREFIX SWITCH…`: on SIGUSR1, each process writes the file
`PREFIX.PID`.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import msgspec

from mock_server.__main__ import main


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a process holds."""

    tasks: int
    threads: int


def _write(prefix: str) -> None:
    gc.collect()  # Tasks that were destroyed while pending are logged now.
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:  # This process has no event loop: it only starts workers.
        tasks = 0
    held = Held(tasks=tasks, threads=threading.active_count())
    path = Path(f"{prefix}.{os.getpid()}")
    written = path.with_suffix(".part")
    written.write_bytes(msgspec.json.encode(held))
    written.replace(path)  # A reader finds the whole file, or none.


def run() -> None:
    """Run the server. The first argument is the prefix, the others are for `mock-server`."""
    prefix = sys.argv.pop(1)

    def answer(_: int, __: FrameType | None) -> None:
        _write(prefix)

    signal.signal(signal.SIGUSR1, answer)
    main()


if __name__ == "__main__":
    run()
