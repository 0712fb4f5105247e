"""Encode commands for the logs of stores, and decode them.

`array_like` structs are written without the names of their members, so the order of the members of
commands is part of the format. A change that older code cannot read increases `FORMAT`.

The journal entries of a batch have the headers of a few clients. They would be more than a third of
its bytes, so each header block is written once, and entries refer to it by its position.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypeVar

import msgspec

from mock_server.domain.commands import AnswerStatus, Command, RecordExchange, Submit
from mock_server.domain.errors import DamagedLog, NewerFormat
from mock_server.domain.headers import Header
from mock_server.domain.planner import DEFAULT_REQUEST
from mock_server.domain.task import Ending

FORMAT = 1  # Of logs and of checkpoints.

_PREFIX = bytes([FORMAT])
_MAX_SHARED = 1000
_MAX_SHARED_BYTES = 4096

_any_command: Any = reduce(or_, Command.__subclasses__())
T = TypeVar("T")
HeaderBlock = tuple[Header, ...]
_RECORDING = (AnswerStatus, RecordExchange)  # The commands with a journal entry.


class Batch(msgspec.Struct, array_like=True, gc=False):
    """Commands whose journal entries have no headers, and the headers of these entries."""

    blocks: list[HeaderBlock]
    # For each command with an entry, the positions of the headers of request and response.
    places: list[Annotated[int, msgspec.Meta(ge=0)]]
    commands: list[_any_command]


_encode = msgspec.msgpack.Encoder().encode
_replace = msgspec.structs.replace
_decoder = msgspec.msgpack.Decoder(Batch)


def encode_commands(commands: Sequence[Command[Any]]) -> bytes:
    """Return the encoded commands, which `decode_commands` reads."""
    return _PREFIX + _encode(_without_headers(commands))


def decode_commands(raw: bytes) -> list[Command[Any]]:
    """Return the commands that `encode_commands` has written.

    Equal headers and endings of several commands are one object, as in the process that made the
    commands. Raises NewerFormat, DamagedLog.
    """
    check_format(raw, "the log")
    try:
        batch = _decoder.decode(memoryview(raw)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedLog(f"the log cannot be read: {error}") from error
    recorded = [each for each in batch.commands if type(each) in _RECORDING]
    if recorded or batch.places:
        _add_headers(recorded, batch)
    for command in batch.commands:
        if type(command) is Submit:
            _share_ending(command)
    return batch.commands


def check_format(raw: bytes, name: str) -> None:
    """Raise NewerFormat or DamagedLog unless an encoded text begins with `FORMAT`."""
    written = raw[0] if raw else 0
    if written > FORMAT:
        raise NewerFormat(
            f"{name} has format {written}, and this version reads only formats up to {FORMAT};"
            " use the version that wrote it, or a later one"
        )
    if written != FORMAT:
        raise DamagedLog(f"{name} does not begin with its format")


class SharedValues(dict[T, T]):
    """Returns the first of several equal values, so that the others need no memory."""

    def first(self, value: T) -> T:
        if len(self) >= _MAX_SHARED:
            self.clear()
        return self.setdefault(value, value)


_headers: SharedValues[HeaderBlock] = SharedValues()
_endings: SharedValues[Ending] = SharedValues()


def _without_headers(commands: Sequence[Command[Any]]) -> Batch:
    """Return a batch in which each header block is contained once.

    Requests of one client have the same block, and so have responses within a second. It is found
    by its identity, because a hash would cost more.
    """
    blocks: dict[int, HeaderBlock] = {}
    place_of: dict[int, int] = {}
    places: list[int] = []
    bare: list[Command[Any]] = []
    command: Any
    for command in commands:
        if type(command) in _RECORDING:
            entry = command.entry
            for block in (entry.headers, entry.answer_headers):
                identity = id(block)
                if identity not in blocks:
                    place_of[identity] = len(blocks)
                    blocks[identity] = block
                places.append(place_of[identity])
            entry = _replace(entry, headers=(), answer_headers=())
            command = _replace(command, entry=entry)  # noqa: PLW2901
        bare.append(command)
    return Batch(list(blocks.values()), places, bare)


def _add_headers(recorded: Sequence[Any], batch: Batch) -> None:
    """Add the headers to entries. Entries of several batches with equal headers share them."""
    blocks, places = list(map(_shared, batch.blocks)), batch.places
    if len(places) != 2 * len(recorded) or max(places, default=0) >= len(blocks):
        raise DamagedLog("the log has journal entries without their headers")
    at: Iterator[HeaderBlock] = map(blocks.__getitem__, places)
    # Nothing else refers to a struct that has just been decoded.
    for command, headers, answer_headers in zip(recorded, at, at, strict=True):
        msgspec.structs.force_setattr(command.entry, "headers", headers)
        msgspec.structs.force_setattr(command.entry, "answer_headers", answer_headers)


def _shared(block: HeaderBlock) -> HeaderBlock:
    if sum(len(name) + len(value) for name, value in block) > _MAX_SHARED_BYTES:
        return block
    return _headers.first(block)


def _share_ending(command: Submit) -> None:
    request = command.plan_request
    if request == DEFAULT_REQUEST:
        msgspec.structs.force_setattr(command, "plan_request", DEFAULT_REQUEST)
    else:
        msgspec.structs.force_setattr(request, "ending", _endings.first(request.ending))
