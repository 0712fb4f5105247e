"""A store in the memory of this process that keeps a log of all commands in a file.

Sandboxes survive the end of the process, even `kill -9`. The commands of one turn of the event loop
are written by one transaction at the end of the turn; responses wait for it (`after_persist`).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from mock_server.domain.commands import Command, NoticeEnds, ReadCounters
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.store.journal_bound import MAX_JOURNAL_BYTES
from mock_server.store.memory_store import MAX_SANDBOXES, MemoryStore
from mock_server.store.sqlite.compactor import Compactor
from mock_server.store.sqlite.file import SqliteFile
from mock_server.store.sqlite.sandbox_log import SandboxLog

logger = logging.getLogger("mock_server.store")

_RETRY_S = 0.5  # The pause after a failed transaction.
# These commands change nothing unless tasks have ended meanwhile.
_SETTLING = frozenset({NoticeEnds, ReadCounters})


class SqliteStore(MemoryStore):
    """Keeps sandboxes in memory as `MemoryStore` does, and writes their commands to the file.

    After a failed transaction, all commands are rejected until another transaction succeeds.
    """

    is_durable = True

    def __init__(
        self,
        file: SqliteFile,
        template: SandboxTemplate,
        *,
        max_tasks: int = 2_000_000,
        max_sandboxes: int = MAX_SANDBOXES,
        max_journal_bytes: int = MAX_JOURNAL_BYTES,
    ) -> None:
        """Load the sandboxes of the file. Raises NewerFormat, DamagedLog, sqlite3.Error."""
        super().__init__(
            template,
            max_tasks=max_tasks,
            max_sandboxes=max_sandboxes,
            max_journal_bytes=max_journal_bytes,
            apply=self._apply_and_log,
        )
        self.problem: str | None = None
        self._file = file
        self._compactor = Compactor(file, self._flush)
        self._unwritten: list[SandboxLog] = []  # In the order of their first changes.
        self._waiting: list[Callable[[StoreUnavailable | None], None]] = []
        self._flush_handle: asyncio.Handle | None = None
        logs = [SandboxLog.load(file, stored, template) for stored in file.sandboxes()]
        self._logs = {log.sandbox.id: log for log in logs}
        self._next_number = max((log.number for log in logs), default=0) + 1
        self._adopt([log.sandbox for log in logs])
        self._log_contents()

    @property
    def latest_real_ms(self) -> int:
        """The latest real instant of all commands so far, or 0."""
        return max((log.order.latest_ms for log in self._logs.values()), default=0)

    async def start(self) -> None:
        """Bring the journals within the limit of this start, which may be lower than before."""
        self._trim_journals(max((each.used_ms for each in self._sandboxes.values()), default=0))

    async def aclose(self) -> None:
        """Write all commands and replace the logs by checkpoints, so that the next start is fast.

        Without space for that, the logs stay.
        """
        try:
            if self._flush():
                for log in self._logs.values():
                    if not log.is_empty:
                        self._compactor.compact(log)
                self._compactor.finish()
            else:
                logger.error("the last changes are lost: %s", self.problem)
        except StoreUnavailable as error:
            logger.warning("no checkpoint was written: %s", error)
        finally:
            if self._flush_handle is not None:  # A flush that failed is not tried again.
                self._flush_handle.cancel()
            self._file.close()

    def after_persist(self, then: Callable[[StoreUnavailable | None], None]) -> None:
        if self.problem is not None:
            then(StoreUnavailable(self.problem))
        elif self._unwritten:
            self._waiting.append(then)
        else:
            then(None)

    def _log_contents(self) -> None:
        if self._sandboxes:
            logger.info("%s has %d sandboxes", self._file.path, len(self._sandboxes))
        others = sum(not each.begins_like(self._template) for each in self._sandboxes.values())
        if others:
            logger.warning(
                "%d sandboxes in %s keep the settings and rules of an earlier start; DELETE"
                " /_mock/sandboxes removes them, and new ones begin with those of this start",
                others,
                self._file.path,
            )

    def _apply_and_log(self, sandbox: Sandbox, command: Command[Any]) -> Any:
        if self.problem is not None:
            raise StoreUnavailable(self.problem)
        log = self._logs[sandbox.id]
        command = log.order.placed(command)
        result = Sandbox.apply(sandbox, command)
        if type(command) not in _SETTLING or sandbox.events:
            log.commands.append(command)
            if not log.is_changed:
                self._note_change(log)
        return result

    def _add_new(self, sandbox: Sandbox) -> None:
        if self.problem is not None:
            raise StoreUnavailable(self.problem)
        super()._add_new(sandbox)
        log = self._logs[sandbox.id] = SandboxLog.begin(self._next_number, sandbox)
        self._next_number += 1
        self._note_change(log)

    def _remove(self, sandboxes: Sequence[Sandbox]) -> None:
        if self.problem is not None:
            raise StoreUnavailable(self.problem)
        super()._remove(sandboxes)
        for sandbox in sandboxes:
            log = self._logs.pop(sandbox.id)
            log.is_removed = True
            if not log.is_changed:
                self._note_change(log)

    def _note_change(self, log: SandboxLog) -> None:
        log.is_changed = True
        self._unwritten.append(log)
        if self._flush_handle is None:
            self._flush_handle = asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> bool:
        """Write what is not in the file yet and tell those who wait. Return whether it is."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        error = self._write() if self._unwritten else None
        if error is not None:
            if self.problem is None:
                logger.error("%s; requests get status 503 until it can be written", error)
            self.problem = str(error)
            self._flush_handle = asyncio.get_running_loop().call_later(_RETRY_S, self._flush)
        elif self.problem is not None:
            logger.warning("%s can be written again", self._file.path)
            self.problem = None
        self._tell_waiting(error)
        return error is None

    def _tell_waiting(self, error: StoreUnavailable | None) -> None:
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            try:
                then(error)
            except Exception:  # The other callers must be told as well.
                logger.exception("a response could not be sent")

    def _write(self) -> StoreUnavailable | None:
        """Write what is not in the file yet, or nothing of it; return the error."""
        logs = self._unwritten
        try:
            with self._file.transaction():
                for log in logs:
                    log.write(self._file)
        except StoreUnavailable as error:
            return error
        except Exception as error:  # All callers must be told about any error.
            logger.exception("cannot write %s", self._file.path)
            return StoreUnavailable(f"cannot write {self._file.path}: {error!r}")
        self._unwritten = []
        for log in logs:
            log.note_written()
            if log.is_removed:
                self._compactor.clean_up(log)
            elif log.is_long:
                self._compactor.compact(log)
        return None
