"""The exact state of a sandbox as bytes, from which another process continues.

A snapshot is portable and leaves out what only matters within a server. A checkpoint contains
everything that can have an effect later: claims, a held clock, the capacity of the rate window,
and the initial values that a reset needs. So a sandbox from a checkpoint and the original return
the same for the same commands.

A checkpoint is the format and a sequence of frames: the length and the checksum of a section, and
the section as msgpack. There may be many tasks, deliveries and journal entries, so a section
contains only some of them. Equal orders, endings and headers are written once in a section.
"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import TypeAlias
from zlib import crc32

import msgspec

from mock_server.domain.clock import ClockCheckpoint
from mock_server.domain.command_codec import FORMAT, check_format
from mock_server.domain.deliveries import Delivery
from mock_server.domain.errors import DamagedLog
from mock_server.domain.headers import Header
from mock_server.domain.journal import Entry
from mock_server.domain.ledger import LedgerCheckpoint
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.task import Ending, Order

_FRAME = Struct(">II")  # The length of a section and its checksum.


class Section(msgspec.Struct, array_like=True, tag=True, gc=False):
    pass


class Head(Section, kw_only=True):
    """The single values. Definitions of rules are encoded separately, to share them."""

    id: str
    is_broke: bool
    used_ms: int
    initial_seed: int
    initial_settings: SandboxSettings
    initial_clock: ClockSettings
    initial_rules: list[msgspec.Raw]
    initial_profile_rules: list[msgspec.Raw]
    seed: int
    origin: str
    settings: SandboxSettings
    clock: ClockCheckpoint
    rate_limit: int
    window_capacity: int
    ledger: LedgerCheckpoint
    ordinal: int
    requests: int
    rejected: int
    responses: dict[int, int]
    dropped_tasks: int
    changes: int
    claims: int
    last_entry: int
    made_rules: int


class AdmittedRequests(Section):
    """The instants of requests in the rate window, oldest first."""

    instants_ms: list[int]


class RuleRow(msgspec.Struct, array_like=True, gc=False):
    id: str
    definition: msgspec.Raw
    identity: str
    seen: int
    applied: int


class RuleRows(Section):
    rows: list[RuleRow]
    is_profile: bool


class RuleCounts(Section):
    """Some counters of one rule, in their order."""

    is_profile: bool
    place: int
    is_hits: bool
    counts: dict[str, int]


class QueueRows(Section):
    """Rules of `next`: id, definition, and how often it still applies."""

    rows: list[tuple[str, msgspec.Raw, int]]


class TaskRow(msgspec.Struct, array_like=True, gc=False):
    """A task with the positions of its order and its ending in their section."""

    end_ms: int | None
    ordinal: int
    id: str
    prompt: str
    created_ms: int
    start_ms: int
    order: int
    ending: int
    polls_seen: int
    is_settled: bool


class TaskRows(Section):
    orders: list[Order]
    endings: list[Ending]
    rows: list[TaskRow]


class DeliveryRows(Section):
    deliveries: list[Delivery]


class OvertakenDeliveries(Section):
    """The tasks whose delivery waits for another delivery."""

    task_ids: list[str]


class EntryRow(msgspec.Struct, array_like=True, gc=False):
    """An entry without headers, their positions in the section, and its weight."""

    entry: Entry
    headers: int
    answer_headers: int
    weight: int


class EntryRows(Section):
    headers: list[tuple[Header, ...]]
    rows: list[EntryRow]


class End(Section):
    """The last section. Without it, the checkpoint is not complete."""


AnySection: TypeAlias = (
    Head | AdmittedRequests | RuleRows | RuleCounts | QueueRows | TaskRows | DeliveryRows
    | OvertakenDeliveries | EntryRows | End
)  # fmt: skip
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(AnySection).decode


def write_sections(sections: Iterable[Section]) -> Iterator[bytes]:
    """Yield a slice of a checkpoint for each section. The last section must be `End`."""
    prefix = bytes([FORMAT])
    for section in sections:
        encoded = _encode(section)
        yield prefix + _FRAME.pack(len(encoded), crc32(encoded)) + encoded
        prefix = b""


def read_sections(raw: bytes) -> Iterator[AnySection]:
    """Yield the sections up to the last one. Raises NewerFormat, DamagedLog."""
    check_format(raw, "the checkpoint")
    at, view = 1, memoryview(raw)
    while True:
        if len(raw) - at < _FRAME.size:
            raise DamagedLog("the checkpoint is not complete")
        size, checksum = _FRAME.unpack_from(raw, at)
        at += _FRAME.size
        encoded = view[at : at + size]
        if crc32(encoded) != checksum:
            raise DamagedLog("the checkpoint is damaged: a checksum is wrong")
        at += size
        section = _decode(encoded)
        if isinstance(section, End):
            return
        yield section
