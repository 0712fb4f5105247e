"""Replace the logs of sandboxes by checkpoints, piece by piece between turns of the event loop."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator

from mock_server.domain.errors import StoreUnavailable
from mock_server.store.sqlite.file import SqliteFile
from mock_server.store.sqlite.sandbox_log import SandboxLog

logger = logging.getLogger("mock_server.store")

_JOBS_AT_ONCE = 100
_PAUSE_S = 10.0  # Without a pause, every turn would try to write to a full disk.


class Compactor:
    """Writes checkpoints and deletes what they replace, one job after the other.

    `flush` writes the commands that are not in the file yet, and returns whether none is left.
    """

    def __init__(self, file: SqliteFile, flush: Callable[[], bool]) -> None:
        self._file = file
        self._flush = flush
        self._jobs: deque[tuple[SandboxLog, Iterator[None]]] = deque()
        self._logs: set[SandboxLog] = set()  # The logs that a job replaces.
        self._step_handle: asyncio.Handle | None = None
        self._pause_until_s = 0.0

    def compact(self, log: SandboxLog) -> None:
        """Soon replace a log by a checkpoint, unless that is already a job."""
        if log not in self._logs and asyncio.get_running_loop().time() >= self._pause_until_s:
            self._logs.add(log)
            self._add(log, log.compact(self._file))

    def clean_up(self, log: SandboxLog) -> None:
        """Soon delete the rows of a removed sandbox."""
        self._add(log, log.clean_up(self._file))

    def finish(self) -> None:
        """Do all jobs now. Raises StoreUnavailable."""
        if self._step_handle is not None:
            self._step_handle.cancel()
        while self._jobs:
            # One transaction for each job would take twice as long.
            with self._file.transaction():
                for _ in range(min(len(self._jobs), _JOBS_AT_ONCE)):
                    _, job = self._jobs.popleft()
                    for _ in job:
                        pass

    def _add(self, log: SandboxLog, job: Iterator[None]) -> None:
        self._jobs.append((log, job))
        if self._step_handle is None:
            self._step_soon()

    def _step_soon(self) -> None:
        self._step_handle = asyncio.get_running_loop().call_soon(self._step)

    def _step(self) -> None:
        """Do the next piece of a job. A checkpoint must not be newer than the log in the file."""
        log, job = self._jobs[0]
        has_ended = True
        try:
            if self._flush():
                next(job)
                has_ended = False
        except StopIteration:
            pass
        except StoreUnavailable as error:
            logger.warning("no checkpoint was written: %s", error)
            self._pause_until_s = asyncio.get_running_loop().time() + _PAUSE_S
        finally:
            if has_ended:
                self._jobs.popleft()
                self._logs.discard(log)
            self._step_handle = None
            if self._jobs:
                self._step_soon()
