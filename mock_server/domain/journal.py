"""The journal of a sandbox: what was asked and answered, in order, within bounds."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Self

import msgspec

from mock_server.domain.faults.injected import Injected, fault_text
from mock_server.domain.operation import Operation

MAX_ENTRIES = 10_000
MAX_BYTES = 32 * 1024 * 1024
MAX_BODY_BYTES = 64 * 1024
_ENTRY_BYTES = 400  # what an entry weighs beside its bodies and headers, roughly

Header = tuple[bytes, bytes]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One exchange. For a callback, `request` is what was sent and `status` the receiver's.

    Headers are kept as they came; whoever shows them takes the key out.
    """

    at_ms: int  # the sandbox's clock
    real_ms: int
    operation: Operation
    task_id: str  # empty where no task is concerned
    status: int  # 0: no answer came
    duration_us: int
    request: bytes
    answer: bytes  # empty for a picture
    method: str = ""
    path: str = ""  # for a callback the whole address
    query: bytes = b""
    headers: Sequence[Header] = ()
    answer_headers: Sequence[Header] = ()
    answer_bytes: int = 0  # of the whole body
    rule: str = ""  # which rule was applied
    injected: tuple[Injected, ...] = ()  # what it injected
    error: str = ""  # why no answer came to a callback

    @property
    def fault(self) -> str:
        """The text of `injected`; empty where no rule was applied."""
        return fault_text(self.injected) if self.injected else ""


class Journal:
    """Drops the oldest entries when there are too many or too many bytes, and counts them.

    Entries are numbered from 1 on; the number is worked out from the place, not kept.
    """

    __slots__ = ("_entries", "bytes", "dropped")

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self.bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def last(self) -> int:
        """The number of the newest entry, 0 when there has been none."""
        return self.dropped + len(self._entries)

    def since(self, number: int) -> Iterator[tuple[int, Entry]]:
        """Yield number and entry of all after this number that are still kept."""
        start = max(0, number - self.dropped)
        return enumerate(islice(self._entries, start, None), self.dropped + start + 1)

    @classmethod
    def of(cls, entries: Iterable[Entry], dropped: int) -> Self:
        """Return a journal that goes on from these."""
        journal = cls()
        journal.dropped = dropped
        for entry in entries:
            journal.add(entry)
        return journal

    def add(self, entry: Entry) -> None:
        """Keep an entry; the caller has cut its bodies to MAX_BODY_BYTES."""
        entries = self._entries
        entries.append(entry)
        self.bytes += _weight(entry)
        while self.bytes > MAX_BYTES or len(entries) > MAX_ENTRIES:
            self.bytes -= _weight(entries.popleft())
            self.dropped += 1


def _weight(entry: Entry) -> int:
    weight = _ENTRY_BYTES + len(entry.request) + len(entry.answer) + len(entry.query)
    for name, value in entry.headers:
        weight += len(name) + len(value)
    return weight
