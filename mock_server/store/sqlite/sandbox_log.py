"""The log of one sandbox in a `SqliteFile`, and the checkpoint that replaces it."""

from collections.abc import Iterator
from typing import Any, Self

from mock_server.domain.command_codec import decode_commands, encode_commands
from mock_server.domain.commands import Command
from mock_server.domain.errors import DamagedLog
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.store.log_order import LogOrder
from mock_server.store.sqlite.file import SqliteFile, StoredSandbox

# A restart has to read the checkpoint and to apply the log. A log of this size may be longer than
# twice its checkpoint, so that a small sandbox does not write a checkpoint for every few requests.
_SHORT_LOG_BYTES = 1024 * 1024
# Larger numbers would delay requests that arrive at the same time. A slice has up to a megabyte.
_BATCHES_AT_ONCE = 50
_SLICES_AT_ONCE = 4


class SandboxLog:
    """The commands of one sandbox: those in the file, and those that are not written yet.

    A sandbox that is created again after its removal has another log.
    """

    __slots__ = (
        "_batch_bytes",
        "_checkpoint_bytes",
        "_entry",
        "_first_checkpoint",
        "_log_bytes",
        "commands",
        "is_changed",
        "is_removed",
        "number",
        "order",
        "sandbox",
    )

    def __init__(
        self, number: int, sandbox: Sandbox, *, entry: int = 0, checkpoint_bytes: int = 0
    ) -> None:
        self.number = number
        self.sandbox = sandbox
        self.order = LogOrder(sandbox.latest_real_ms)
        self.commands: list[Command[Any]] = []
        self.is_changed = False  # Whether the store has it in its list of logs to write.
        self.is_removed = False
        self._first_checkpoint: bytes | None = None
        self._checkpoint_bytes = checkpoint_bytes
        self._entry = entry  # The number of the newest entry in the file.
        self._log_bytes = 0
        self._batch_bytes = 0

    @classmethod
    def begin(cls, number: int, sandbox: Sandbox) -> Self:
        """Return the log of a new sandbox, which is not in the file yet."""
        checkpoint = b"".join(sandbox.checkpoint())
        log = cls(number, sandbox, checkpoint_bytes=len(checkpoint))
        log._first_checkpoint = checkpoint
        return log

    @classmethod
    def load(cls, file: SqliteFile, stored: StoredSandbox, template: SandboxTemplate) -> Self:
        """Return the log of a sandbox in the file. Raises NewerFormat, DamagedLog."""
        checkpoint = file.checkpoint(stored)
        sandbox = Sandbox.of_checkpoint(checkpoint, template)
        log = cls(stored.number, sandbox, entry=stored.entry, checkpoint_bytes=len(checkpoint))
        for entry, batch in file.log(stored):
            for command in decode_commands(batch):
                _apply_again(sandbox, log.order.placed(command))
            sandbox.events.clear()
            log._entry = entry
            log._log_bytes += len(batch)
        return log

    @property
    def is_empty(self) -> bool:
        """Whether the file has no entry behind the checkpoint."""
        return not self._log_bytes

    @property
    def is_long(self) -> bool:
        """Whether a new checkpoint is worth its cost."""
        return self._log_bytes > max(_SHORT_LOG_BYTES, 2 * self._checkpoint_bytes)

    def write(self, file: SqliteFile) -> None:
        """Write what is not in the file yet, within the transaction of the file."""
        if self.is_removed:
            file.remove_sandbox(self.number)
            return
        if self._first_checkpoint is not None:
            file.add_sandbox(self.number, self.sandbox.id)
            file.add_slice(self.number, 0, 0, self._first_checkpoint)
        if self.commands:
            batch = encode_commands(self.commands)
            file.append(self.number, self._entry + 1, batch)
            self._batch_bytes = len(batch)

    def note_written(self) -> None:
        """Forget what has been written, because the transaction was successful."""
        self.is_changed = False
        self._first_checkpoint = None
        if self.commands:
            self.commands = []
            self._entry += 1
            self._log_bytes += self._batch_bytes

    def compact(self, file: SqliteFile) -> Iterator[None]:
        """Write a checkpoint and delete the log behind it, with a pause after each piece.

        All commands must have been written. Raises StoreUnavailable; the log is complete then.
        """
        yield from self.clean_up(file)  # An earlier attempt may have left pieces.
        entry, log_bytes, checkpoint_bytes = self._entry, self._log_bytes, 0
        for index, piece in enumerate(self.sandbox.checkpoint()):
            with file.transaction():
                file.add_slice(self.number, entry, index, piece)
            checkpoint_bytes += len(piece)
            yield
            if self.is_removed:
                return
        with file.transaction():
            file.complete_checkpoint(self.number, entry)
        self._checkpoint_bytes = checkpoint_bytes
        self._log_bytes -= log_bytes
        yield from self.clean_up(file)

    def clean_up(self, file: SqliteFile) -> Iterator[None]:
        """Delete what is no longer needed, with a pause after each piece."""
        has_more = True
        while has_more:
            with file.transaction():
                has_more = file.delete_remainders(
                    self.number, batches=_BATCHES_AT_ONCE, slices=_SLICES_AT_ONCE
                )
            yield


def _apply_again(sandbox: Sandbox, command: Command[Any]) -> None:
    try:
        sandbox.apply(command)
    except Exception as error:
        raise DamagedLog(
            f"a {type(command).__name__} of the log cannot be applied: {error!r}"
        ) from error
