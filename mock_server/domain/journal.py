"""The journal of a sandbox: its requests, responses and callbacks in order, within limits."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Self

import msgspec
from msgspec.structs import force_setattr

from mock_server.domain.faults.injected import Injected, fault_text
from mock_server.domain.headers import (
    Header,
    SharedHeaders,
    request_weight,
    response_weight,
)
from mock_server.domain.integers import Integer
from mock_server.domain.operation import Operation

MAX_ENTRIES = 10_000
MAX_BYTES = 32 * 1024 * 1024
MAX_BODY_BYTES = 64 * 1024

# The memory of the objects of an entry, without texts and other parts of variable length. A test
# compares the weights with the memory that is allocated.
_ENTRY_BYTES = 430
_REASON_BYTES = 100  # Why there was no response, or the rule that was applied.
_INJECTED_BYTES = 100
_MAX_CHARACTER_BYTES = 4


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

    `bytes` is about the memory that the entries use. It depends on their values only, so journals
    with equal entries have the same number in all processes. Equal headers count once, and are
    one object.
    """

    __slots__ = (
        "_entries",
        "_request_headers",
        "_response_headers",
        "_weights",
        "bytes",
        "last",
    )

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._weights: deque[int] = deque()  # Without headers.
        self._request_headers = SharedHeaders(request_weight)
        self._response_headers = SharedHeaders(response_weight)
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
        first = max(number, self.dropped) + 1
        newest = list(islice(reversed(self._entries), max(0, self.last + 1 - first)))
        return enumerate(reversed(newest), first)

    @classmethod
    def of(cls, entries: Iterable[Entry], dropped: int) -> Self:
        """Return a journal that starts with these entries; `dropped` came before them."""
        journal = cls()
        journal.last = dropped
        for entry in entries:
            journal.add(entry)
        return journal

    def weighed(self) -> list[tuple[Entry, int]]:
        """Return all entries, oldest first, each with its weight without headers."""
        return list(zip(self._entries, self._weights, strict=True))

    def add(self, entry: Entry) -> int:
        """Append an entry and return its number.

        The caller has truncated its bodies to MAX_BODY_BYTES.
        """
        path, entries, weights = entry.path, self._entries, self._weights
        weight = (
            _ENTRY_BYTES + len(entry.request) + len(entry.answer) + len(entry.query) + len(path)
        )
        if not path.isascii():
            weight += (_MAX_CHARACTER_BYTES - 1) * len(path)
        if entry.rule or entry.error:
            weight += _REASON_BYTES + len(entry.rule) + len(entry.error)
            weight += len(entry.injected) * _INJECTED_BYTES
        # Most entries have the same headers as the entry before.
        requests, responses = self._request_headers, self._response_headers
        if entry.headers is not requests.newest:
            self.bytes += requests.add(entry.headers, self.last)
            force_setattr(entry, "headers", requests.newest)
        if entry.answer_headers is not responses.newest:
            self.bytes += responses.add(entry.answer_headers, self.last)
            force_setattr(entry, "answer_headers", responses.newest)
        self.last = number = self.last + 1
        if len(entries) == MAX_ENTRIES:
            oldest = entries.popleft()
            weight_change = weight - weights.popleft()
            entries.append(entry)
            weights.append(weight)
            self.bytes += weight_change
            if oldest.headers is not requests.newest:
                self.bytes -= requests.release(oldest.headers, self.dropped)
            if oldest.answer_headers is not responses.newest:
                self.bytes -= responses.release(oldest.answer_headers, self.dropped)
        else:
            entries.append(entry)
            weights.append(weight)
            self.bytes += weight
        if self.bytes > MAX_BYTES:
            self.trim(MAX_BYTES)
        return number

    def trim(self, max_bytes: int) -> int:
        """Drop the oldest entries until the others have at most this weight; return how many."""
        count = len(self._entries)
        while self.bytes > max_bytes:
            self._drop_oldest()
        return count - len(self._entries)

    def _drop_oldest(self) -> None:
        entry = self._entries.popleft()
        self.bytes -= self._weights.popleft()
        self.bytes -= self._request_headers.release(entry.headers, self.dropped)
        self.bytes -= self._response_headers.release(entry.answer_headers, self.dropped)
        if not self._entries:
            self._request_headers.clear()
            self._response_headers.clear()
            self.bytes = 0
