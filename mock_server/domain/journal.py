"""The journal of a sandbox: what was asked and answered, in order, within bounds."""

from collections import deque
from collections.abc import Iterator
from enum import StrEnum

import msgspec

MAX_ENTRIES = 10_000
MAX_BYTES = 32 * 1024 * 1024
MAX_BODY_BYTES = 64 * 1024
_ENTRY_BYTES = 200  # what an entry weighs beside its bodies, roughly


class Operation(StrEnum):
    SUBMIT = "submit"
    STATUS = "status"
    RESULT = "result"
    BALANCE = "balance"
    CALLBACK = "callback"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One exchange. For a callback, `request` is what was sent and `status` the receiver's."""

    at_ms: int  # the sandbox's clock
    real_ms: int
    operation: Operation
    task_id: str  # empty where no task is concerned
    status: int  # 0: no answer came
    duration_us: int
    request: bytes
    answer: bytes


class Journal:
    """Drops the oldest entries when there are too many or too many bytes, and counts them."""

    __slots__ = ("_entries", "bytes", "dropped")

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self.bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, entry: Entry) -> None:
        """Keep an entry; the caller has cut its bodies to MAX_BODY_BYTES."""
        entries = self._entries
        entries.append(entry)
        self.bytes += _ENTRY_BYTES + len(entry.request) + len(entry.answer)
        while self.bytes > MAX_BYTES or len(entries) > MAX_ENTRIES:
            oldest = entries.popleft()
            self.bytes -= _ENTRY_BYTES + len(oldest.request) + len(oldest.answer)
            self.dropped += 1
