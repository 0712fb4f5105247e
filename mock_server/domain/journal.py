"""The journal of a sandbox: its requests, responses and callbacks in order, within limits."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Self

import msgspec

from mock_server.domain.faults.injected import Injected, fault_text
from mock_server.domain.integers import Integer
from mock_server.domain.operation import Operation

MAX_ENTRIES = 10_000
MAX_BYTES = 32 * 1024 * 1024
MAX_BODY_BYTES = 64 * 1024
_ENTRY_BYTES = 400  # An entry uses about this much memory in addition to bodies and headers.

Header = tuple[bytes, bytes]


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One request with its response, or one callback attempt.

    For a callback, `request` is the body that was sent and `status` is the receiver's status.
    Headers are stored as received, so they must be redacted before they are shown.
    """

    at_ms: Integer  # Instant of the sandbox's clock.
    real_ms: Integer  # Real instant of the start.
    operation: Operation
    task_id: str  # Empty if the request is about no known task.
    status: Integer  # 0 if there was no response.
    duration_us: Integer  # Real time.
    request: bytes
    answer: bytes  # Empty for a picture.
    method: str = ""
    path: str = ""  # For a callback, the whole URL.
    query: bytes = b""
    headers: tuple[Header, ...] = ()
    answer_headers: tuple[Header, ...] = ()
    answer_bytes: Integer = 0  # Length of the complete body.
    rule: str = ""  # The id of the rule that was applied.
    injected: tuple[Injected, ...] = ()  # The faults that it injected.
    error: str = ""  # Why a callback got no response.

    @property
    def fault(self) -> str:
        """The text of `injected`; empty if no rule was applied."""
        return fault_text(self.injected) if self.injected else ""


class Journal:
    """Stores entries within MAX_ENTRIES and MAX_BYTES: drops and counts the oldest ones.

    Entries are numbered from 1. The number follows from the position and is not stored.
    """

    __slots__ = ("_entries", "_weights", "bytes", "last")

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._weights: deque[int] = deque(maxlen=MAX_ENTRIES)
        self.bytes = 0
        self.last = 0  # The number of the newest entry, 0 if there was none.

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def dropped(self) -> int:
        """How many entries came before the stored ones."""
        return self.last - len(self._entries)

    @property
    def newest(self) -> Entry:
        return self._entries[-1]

    def since(self, number: int) -> Iterator[tuple[int, Entry]]:
        """Yield the stored entries after this number, each with its number."""
        count = max(0, min(self.last - number, len(self._entries)))
        newest = [*islice(reversed(self._entries), count)]  # The older ones cost nothing.
        newest.reverse()
        return enumerate(newest, self.last - count + 1)

    @classmethod
    def of(cls, entries: Iterable[Entry], dropped: int) -> Self:
        """Return a journal that starts with these entries; `dropped` came before them."""
        journal = cls()
        journal.last = dropped
        for entry in entries:
            journal.add(entry)
        return journal

    @classmethod
    def of_weighed(cls, weighed: Sequence[tuple[Entry, int]], last: int) -> Self:
        """Return a journal with these entries and weights; `last` is the number of the last one."""
        journal = cls()
        for entry, weight in weighed:
            journal._entries.append(entry)
            journal._weights.append(weight)
            journal.bytes += weight
        journal.last = last
        return journal

    def weighed(self) -> list[tuple[Entry, int]]:
        """Return a copy of all entries with their weights, oldest first."""
        return list(zip(self._entries, self._weights, strict=True))

    def add(self, entry: Entry, headers_bytes: int | None = None) -> int:
        """Append an entry and return its number.

        The caller has truncated its bodies to MAX_BODY_BYTES. `headers_bytes` is the size of the
        names and values of its headers, if it is known already.
        """
        entries, weights = self._entries, self._weights
        if headers_bytes is None:
            headers_bytes = sum(len(name) + len(value) for name, value in entry.headers)
        weight = (
            _ENTRY_BYTES + headers_bytes + len(entry.request) + len(entry.answer) + len(entry.query)
        )
        kept_bytes = self.bytes + weight
        if len(entries) == MAX_ENTRIES:  # Appending drops the oldest one.
            kept_bytes -= weights[0]
        entries.append(entry)
        weights.append(weight)
        while kept_bytes > MAX_BYTES:
            entries.popleft()
            kept_bytes -= weights.popleft()
        self.bytes = kept_bytes
        self.last = number = self.last + 1
        return number
