"""The log of a sandbox in Redis: a stream whose order is the order of its commands.

An entry is a batch of commands, or the initial state of the sandbox. Entries of another epoch
belong to a sandbox that was removed, and are ignored.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from mock_server.domain.errors import DamagedLog
from mock_server.store.redis.client import Command, Reply
from mock_server.store.redis.keys import EPOCH, TRIMMED, SandboxKeys

Kind: TypeAlias = Literal["commands", "state"]

MAX_PAGE = 200  # Entries that are read at once.
ENTRY_BYTES = 60  # An entry needs about this much memory in addition to its payload.

_KINDS: dict[bytes, Kind] = {b"c": "commands", b"s": "state"}


class EntryId(NamedTuple):
    """The id of an entry in a stream: real milliseconds of Redis, and a number within them."""

    ms: int
    number: int

    @classmethod
    def of(cls, raw: bytes) -> "EntryId":
        ms, _, number = raw.partition(b"-")
        return cls(int(ms), int(number))

    @property
    def text(self) -> str:
        return f"{self.ms}-{self.number}"


class LogEntry(NamedTuple):
    raw_id: bytes
    epoch: int
    kind: Kind
    payload: bytes


class Page(NamedTuple):
    """The reply of Redis to `read_from`."""

    epoch: int | None  # None if the sandbox does not exist.
    trimmed_ms: int
    entries: list[LogEntry]
    is_full: bool  # There may be more entries.


def append(keys: SandboxKeys, epoch: int, payload: bytes) -> Command:
    """Return the command that appends a batch of commands, unless there is no log."""
    return ("XADD", keys.log, "NOMKSTREAM", "*", "e", epoch, "c", payload)


def begin(keys: SandboxKeys, epoch: int, state: bytes) -> list[Command]:
    """Return the commands that begin a log.

    If several processes begin one at the same time, the log whose epoch is in `meta` is valid. The
    entry is written before the epoch, so a sandbox with an epoch always has its initial state.
    """
    return [
        ("XADD", keys.log, "*", "e", epoch, "s", state),
        ("ZADD", keys.meta, "NX", epoch, EPOCH),
    ]


def read_from(keys: SandboxKeys, first: bytes) -> list[Command]:
    """Return the commands that read a page from this entry on, whose replies `page` reads."""
    return [
        ("XRANGE", keys.log, first, "+", "COUNT", MAX_PAGE),
        ("ZMSCORE", keys.meta, EPOCH, TRIMMED),
    ]


def page(entries: Reply, scores: Reply) -> Page:
    epoch, trimmed_ms = scores
    return Page(
        epoch=None if epoch is None else int(float(epoch)),
        trimmed_ms=0 if trimmed_ms is None else int(float(trimmed_ms)),
        entries=list(_entries(entries)),
        is_full=len(entries) == MAX_PAGE,
    )


def _entries(replies: Reply) -> Iterator[LogEntry]:
    for entry_id, fields in replies:
        if len(fields) != 4 or fields[2] not in _KINDS or not fields[1].isdigit():
            raise DamagedLog(f"entry {entry_id.decode()} of a log in Redis has unknown fields")
        yield LogEntry(entry_id, int(fields[1]), _KINDS[fields[2]], fields[3])
