"""Encode commands for the logs of stores, and decode them.

`array_like` structs are written without the names of their members, so the order of the members of
commands is part of the format. A change that older code cannot read increases `FORMAT`.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeVar

import msgspec

from mock_server.domain.commands import Command, RecordExchange, Submit
from mock_server.domain.errors import DamagedLog, NewerFormat
from mock_server.domain.journal import Header
from mock_server.domain.planner import DEFAULT_REQUEST
from mock_server.domain.task import Ending

FORMAT = 1  # Of logs and of checkpoints.

_PREFIX = bytes([FORMAT])
_MAX_SHARED = 1000
_MAX_SHARED_BYTES = 4096

_encode = msgspec.msgpack.Encoder().encode
_any_command: Any = reduce(or_, Command.__subclasses__())
_decoder: msgspec.msgpack.Decoder[list[Command[Any]]] = msgspec.msgpack.Decoder(list[_any_command])
T = TypeVar("T")


def encode_commands(commands: Sequence[Command[Any]]) -> bytes:
    """Return the encoded commands, which `decode_commands` reads."""
    return _PREFIX + _encode(commands)


def decode_commands(raw: bytes) -> list[Command[Any]]:
    """Return the commands that `encode_commands` has written.

    Equal headers and endings of several commands are one object, as in the process that made the
    commands. Raises NewerFormat, DamagedLog.
    """
    check_format(raw, "the log")
    try:
        commands = _decoder.decode(memoryview(raw)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedLog(f"the log cannot be read: {error}") from error
    for command in commands:
        if isinstance(command, RecordExchange):
            _share_headers(command)
        elif isinstance(command, Submit):
            _share_ending(command)
    return commands


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


_headers: SharedValues[tuple[Header, ...]] = SharedValues()
_endings: SharedValues[Ending] = SharedValues()


def _share_headers(command: RecordExchange) -> None:
    """Share the headers of requests of one client, and those of responses within a second."""
    entry, size_bytes = command.entry, command.headers_bytes
    if size_bytes is not None and size_bytes <= _MAX_SHARED_BYTES:
        # Nothing else refers to a struct that has just been decoded.
        msgspec.structs.force_setattr(entry, "headers", _headers.first(entry.headers))
        msgspec.structs.force_setattr(entry, "answer_headers", _headers.first(entry.answer_headers))


def _share_ending(command: Submit) -> None:
    request = command.plan_request
    if request == DEFAULT_REQUEST:
        msgspec.structs.force_setattr(command, "plan_request", DEFAULT_REQUEST)
    else:
        msgspec.structs.force_setattr(request, "ending", _endings.first(request.ending))
