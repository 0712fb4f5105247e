"""A replica: the copy of a sandbox in this process, to which the entries of its log are applied."""

from collections.abc import Sequence
from typing import Any, Protocol

from mock_server.domain.command_codec import decode_commands
from mock_server.domain.commands import Command
from mock_server.domain.errors import DomainError
from mock_server.domain.journal import Entry
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.store.log_order import LogOrder
from mock_server.store.redis.keys import SandboxKeys
from mock_server.store.redis.log import ENTRY_BYTES, EntryId, LogEntry

_LEAST_LOG_BYTES = 1024 * 1024


class CommandObserver(Protocol):
    """Is told each command with its result, and whether this process has sent it."""

    def __call__(
        self, sandbox: Sandbox, command: Command[Any], result: Any, *, is_own: bool
    ) -> None: ...


class OwnBatch:
    """Commands of this process that were appended to a log, and their outcomes."""

    def __init__(self, raw_id: bytes, commands: Sequence[Command[Any]]) -> None:
        self.raw_id = raw_id
        self.commands = commands
        self.added_tasks = 0
        self.outcomes: list[Any] | None = None  # A result or a DomainError for each command.


class Replica:
    """A sandbox in the state after the entry `last` of its log.

    All processes count the bytes of the log in the same way, so they agree after which entry the
    next checkpoint is due.
    """

    __slots__ = (
        "_bytes_since_checkpoint",
        "_next_checkpoint_bytes",
        "_order",
        "applied",
        "due_ms",
        "epoch",
        "is_due_open",
        "is_used",
        "keys",
        "last_raw",
        "note",
        "renewed_ms",
        "sandbox",
        "scores",
    )

    def __init__(
        self,
        sandbox: Sandbox,
        keys: SandboxKeys,
        *,
        epoch: int,
        last: bytes,
        real_ms: int,
        applied: CommandObserver,
    ) -> None:
        self.sandbox = sandbox
        self.keys = keys
        self.epoch = epoch
        self.last_raw = last
        self.scores: object = None  # What `meta` contained when a page was applied.
        self.due_ms: int | None = None  # What `redis_due` has written.
        self.is_used = True
        self.note = ""  # What the next journal entry of this process says.
        self.is_due_open = False  # Whether `due_ms` must be written again.
        self.renewed_ms = 0  # The real instant at which the keys got their time to live.
        self._order = LogOrder(real_ms)
        self._bytes_since_checkpoint = 0
        self._next_checkpoint_bytes = max(_LEAST_LOG_BYTES, sandbox.size_bytes)
        self.applied = applied

    @property
    def real_ms(self) -> int:
        """The latest real instant of all commands so far."""
        return self._order.latest_ms

    def replace_by(self, other: "Replica") -> int:
        """Continue from another replica of the same sandbox; readers keep their object.

        Return the number of the last journal entry that both have, or 0.
        """
        agreed = _last_common_entry(self.sandbox, other.sandbox)
        self.sandbox.replace_by(other.sandbox)
        self.epoch, self.last_raw = other.epoch, other.last_raw
        self._order = other._order  # noqa: SLF001  # It is of this class.
        self._bytes_since_checkpoint = other._bytes_since_checkpoint  # noqa: SLF001
        self._next_checkpoint_bytes = other._next_checkpoint_bytes  # noqa: SLF001
        return agreed

    @property
    def last(self) -> EntryId:
        return EntryId.of(self.last_raw)

    def take(self, entry: LogEntry, own: OwnBatch | None) -> bool:
        """Apply the next entry of the log. Return whether a checkpoint is due after it."""
        if own is not None and entry.raw_id == own.raw_id:
            return self.take_own(own, len(entry.payload))
        if entry.epoch == self.epoch and entry.kind == "commands":
            for command in decode_commands(entry.payload):
                self._outcome(command, is_own=False)
        self.last_raw = entry.raw_id
        return self._count(len(entry.payload))

    def take_own(self, own: OwnBatch, size_bytes: int) -> bool:
        """Apply a batch of this process, which is the next entry of the log."""
        count = self.sandbox.task_count
        own.outcomes = [self._outcome(command, is_own=True) for command in own.commands]
        own.added_tasks = self.sandbox.task_count - count
        self.last_raw = own.raw_id
        return self._count(size_bytes)

    def _outcome(self, command: Command[Any], *, is_own: bool) -> Any:
        command = self._order.placed(command)
        try:
            result = self.sandbox.apply(command)
        except DomainError as error:  # The command changes nothing, in this and in all processes.
            return error
        self.applied(self.sandbox, command, result, is_own=is_own)
        return result

    def _count(self, size_bytes: int) -> bool:
        self._bytes_since_checkpoint += size_bytes + ENTRY_BYTES
        if self._bytes_since_checkpoint < self._next_checkpoint_bytes:
            return False
        self._bytes_since_checkpoint = 0
        self._next_checkpoint_bytes = max(_LEAST_LOG_BYTES, self.sandbox.size_bytes)
        return True


def _last_common_entry(one: Sandbox, other: Sandbox) -> int:
    """Return its number. If Redis has lost the end of a log, others may have written a new end."""
    known = {number: _identity(entry) for number, entry in one.entries()}
    for number, entry in reversed(other.entries()):
        if known.get(number) == _identity(entry):
            return number
    return 0


def _identity(entry: Entry) -> tuple[object, ...]:
    return entry.real_ms, entry.operation, entry.task_id, entry.duration_us, entry.answer
