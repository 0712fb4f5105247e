"""Write and read `bench.json`."""

from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from benchmarks.errors import BenchError
from benchmarks.figures import Measured
from benchmarks.machine import Machine

T = TypeVar("T")


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What `make bench` has measured, and where."""

    version: Literal[1] = 1
    date: str
    commit: str | None
    machine: Machine
    connections: int
    load_s: int  # How long each load lasts.
    figures: dict[str, Measured]


def write_json(path: Path, content: msgspec.Struct) -> None:
    """Raise BenchError if the file cannot be written."""
    text = msgspec.json.format(msgspec.json.encode(content), indent=2)
    try:
        path.write_bytes(text + b"\n")
    except OSError as error:
        raise BenchError(f"{path}: cannot be written: {error.strerror}") from error


def read_json(path: Path, kind: type[T], made_by: str = "make bench") -> T:
    """Return the content of a file that a command wrote. Raise BenchError if it is invalid."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise BenchError(f"{path}: cannot be read: {error.strerror}; run `{made_by}`") from error
    except msgspec.DecodeError as error:
        raise BenchError(f"{path}: {error}; write the file again with `{made_by}`") from error
