"""The journal as control answers it, and what it tells as events."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mock_server.control.openapi.answers import Count, Detail, Instant, Milliseconds
from mock_server.domain.journal import Operation
from mock_server.domain.task import TaskState

Headers = Annotated[list[tuple[str, str]], Meta(description="as sent, but for the key")]


class EntryRequest(msgspec.Struct):
    method: str
    path: str
    headers: Headers
    body: str
    is_cut: bool


class EntryAnswer(msgspec.Struct):
    status: int
    headers: Headers
    body: str
    body_bytes: Count


class JournalEntry(msgspec.Struct):
    seq: Annotated[int, Meta(ge=1)]
    at_ms: Instant
    real_ms: Annotated[int, Meta(ge=0, description="Unix milliseconds")]
    operation: Operation
    task_id: str | None
    status: int | None
    duration_ms: Milliseconds
    rule: str | None
    fault: str | None
    error: str | None
    request: EntryRequest
    answer: EntryAnswer | None


class ShownJournal(msgspec.Struct, kw_only=True):
    entries: list[JournalEntry]
    dropped: Count


class JournalTooLate(ShownJournal, kw_only=True):
    """The envelope of an error, with what was seen beside it."""

    code: int
    message: str
    data: Detail


class CountedEntries(msgspec.Struct):
    count: Count


class HarCreator(msgspec.Struct):
    name: str
    version: str


class HarEntry(msgspec.Struct, kw_only=True):
    started: str = msgspec.field(name="startedDateTime")
    time: Milliseconds
    request: dict[str, Any]
    response: dict[str, Any]
    cache: dict[str, Any]
    timings: dict[str, float]
    comment: str


class HarLog(msgspec.Struct):
    version: Literal["1.2"]
    creator: HarCreator
    entries: list[HarEntry]


class HarArchive(msgspec.Struct):
    log: HarLog


class Transition(msgspec.Struct, rename={"from_": "from"}):
    task_id: str
    from_: TaskState
    to: TaskState
    at_ms: Instant


class Nothing(msgspec.Struct):
    """An object without members: the name of the event says all."""
