"""The journal of a sandbox: its requests, responses and callbacks in order, within limits."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Self

import msgspec
from msgspec.structs import force_setattr

from mock_server.domain.faults.injected import Injected, fault_text
from mock_server.domain.integers import Integer
from mock_server.domain.operation import Operation

MAX_ENTRIES = 10_000
MAX_BYTES = 32 * 1024 * 1024
MAX_BODY_BYTES = 64 * 1024

# The memory of the objects of an entry, without texts and other parts of variable length. A test
# compares the weights with the memory that is allocated.
_ENTRY_BYTES = 430
_BLOCK_BYTES = 170  # Headers that entries share.
_HEADER_BYTES = 130
_ANSWER_HEADER_BYTES = 80  # The names of these, and some values, are constants.
_REASON_BYTES = 100  # Why there was no response, or the rule that was applied.
_INJECTED_BYTES = 100
_MAX_CHARACTER_BYTES = 4

Header = tuple[bytes, bytes]
Block = tuple[Header, ...]


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


class _SharedHeaders:
    """The headers of requests or responses, which several entries have in common."""

    __slots__ = ("bytes", "last", "pairs")

    def __init__(self, pairs: Block, weight: int) -> None:
        self.pairs = pairs
        self.bytes = weight
        # The number of the last entry that has them. It is not updated while the newest entry has
        # them.
        self.last = 0


def _no_headers() -> _SharedHeaders:
    return _SharedHeaders(((b"", b""),), 0)  # No entry has these headers.


def _weight(pairs: Block) -> int:
    if not pairs:
        return 0
    text_bytes = sum(len(name) + len(value) for name, value in pairs)
    return _BLOCK_BYTES + len(pairs) * _HEADER_BYTES + text_bytes


def _answer_weight(pairs: Block) -> int:
    if not pairs:
        return 0
    values_bytes = sum(len(value) for _, value in pairs)
    return _BLOCK_BYTES + len(pairs) * _ANSWER_HEADER_BYTES + values_bytes


class Journal:
    """Stores entries within MAX_ENTRIES and MAX_BYTES: drops and counts the oldest ones.

    Entries are numbered from 1. The number follows from the position and is not stored.

    `bytes` is about the memory that the entries use. It depends on their values only, so journals
    with equal entries have the same number in all processes. Equal headers count once, and are
    one object.
    """

    __slots__ = (
        "_answer_headers",
        "_entries",
        "_headers",
        "_shared",
        "_shared_answers",
        "_weights",
        "bytes",
        "last",
    )

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._weights: deque[int] = deque()  # Without headers.
        self._shared: dict[Block, _SharedHeaders] = {}
        self._shared_answers: dict[Block, _SharedHeaders] = {}
        self._headers = self._answer_headers = _no_headers()  # Those of the newest entry.
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
        dropped = self.dropped
        start = max(0, number - dropped)
        return enumerate(islice(self._entries, start, None), dropped + start + 1)

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
        headers, answer_headers = self._headers.pairs, self._answer_headers.pairs
        if entry.headers is not headers:
            headers = self._share_headers(entry)
        if entry.answer_headers is not answer_headers:
            answer_headers = self._share_answer_headers(entry)
        self.last = number = self.last + 1
        if len(entries) == MAX_ENTRIES:
            oldest = entries.popleft()
            weight_change = weight - weights.popleft()
            entries.append(entry)
            weights.append(weight)
            self.bytes += weight_change
            if oldest.headers is not headers:
                self._release(self._shared, oldest.headers)
            if oldest.answer_headers is not answer_headers:
                self._release(self._shared_answers, oldest.answer_headers)
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

    def _share_headers(self, entry: Entry) -> Block:
        """Return the headers that are equal to those of an entry, and give them to the entry."""
        self._headers.last = self.last
        shared = self._shared.get(entry.headers)
        if shared is None:
            shared = _SharedHeaders(entry.headers, _weight(entry.headers))
            self._shared[entry.headers] = shared
            self.bytes += shared.bytes
        self._headers = shared
        force_setattr(entry, "headers", shared.pairs)
        return shared.pairs

    def _share_answer_headers(self, entry: Entry) -> Block:
        self._answer_headers.last = self.last
        shared = self._shared_answers.get(entry.answer_headers)
        if shared is None:
            shared = _SharedHeaders(entry.answer_headers, _answer_weight(entry.answer_headers))
            self._shared_answers[entry.answer_headers] = shared
            self.bytes += shared.bytes
        self._answer_headers = shared
        force_setattr(entry, "answer_headers", shared.pairs)
        return shared.pairs

    def _drop_oldest(self) -> None:
        entry = self._entries.popleft()
        self.bytes -= self._weights.popleft()
        if entry.headers is not self._headers.pairs:
            self._release(self._shared, entry.headers)
        if entry.answer_headers is not self._answer_headers.pairs:
            self._release(self._shared_answers, entry.answer_headers)
        if not self._entries:
            self._shared.clear()
            self._shared_answers.clear()
            self._headers = self._answer_headers = _no_headers()
            self.bytes = 0

    def _release(self, shared_headers: dict[Block, _SharedHeaders], pairs: Block) -> None:
        """Forget headers if the entry that has just been dropped was the last one with them."""
        shared = shared_headers[pairs]
        if shared.last <= self.dropped:
            del shared_headers[pairs]
            self.bytes -= shared.bytes
