"""Reads what a client leaves behind, without its API key."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from contract_tests.client.records import ClientExit
from contract_tests.client.stored_files import StoredFile
from contract_tests.contract.redaction import Redaction

_MAX_FILES: Final = 1_000
_MAX_FILE_BYTES: Final = 16 * 1024 * 1024  # Larger than every picture of the mock.
_MAX_ALL_BYTES: Final = 64 * 1024 * 1024
_MAX_OUTPUT: Final = 256 * 1024  # The last bytes of the output are kept.
_MAX_STORED: Final = 64 * 1024 * 1024  # Bytes of the output that may lie on the disk.
_BLOCK: Final = 512  # What POSIX systems count as a block of a file.


class CapturedOutput:
    """The file to which a client writes its output.

    The client shares the position in the file, so the file is only read at given positions.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._descriptor = file.fileno()
        self._kept = b""

    def limit(self) -> None:
        """Empty the file if it occupies too much of the disk; keep the end of the output.

        The client goes on writing at its own position. The file then begins with a hole, which
        reads as zeros and occupies nothing.
        """
        if os.fstat(self._descriptor).st_blocks * _BLOCK > _MAX_STORED:
            self._kept = self._read_end()
            os.ftruncate(self._descriptor, 0)

    def end(self) -> str:
        """Return the last part of the output."""
        return self._read_end().decode(errors="replace")

    def _read_end(self) -> bytes:
        size = os.fstat(self._descriptor).st_size
        written = os.pread(self._descriptor, _MAX_OUTPUT, max(0, size - _MAX_OUTPUT))
        return (self._kept + written.lstrip(b"\0"))[-_MAX_OUTPUT:]


def read_files(directory: Path) -> tuple[StoredFile, ...]:
    """Return the files in a directory and below; the number and the size of files are limited."""
    files, left = [], _MAX_ALL_BYTES
    for path in _paths(directory):
        try:
            if path.stat().st_size > min(_MAX_FILE_BYTES, left):
                continue
            content = path.read_bytes()
        except OSError:
            continue  # The client has made the file unreadable.
        left -= len(content)
        name = path.relative_to(directory).as_posix()
        files.append(StoredFile(name=name, content=content))
    return tuple(files)


def without_key(client_exit: ClientExit, key: str) -> ClientExit:
    """Return the exit of a client with the key redacted in its output and its files."""
    redaction = Redaction([key])
    output = redaction.text(client_exit.output)
    files = client_exit.files
    return msgspec.structs.replace(
        client_exit,
        output=output,
        has_printed_key=output != client_exit.output,
        files=None if files is None else tuple(_redacted(each, redaction) for each in files),
    )


def _paths(directory: Path) -> Iterator[Path]:
    """Yield the regular files in a directory that can be read, by name."""
    found = 0
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path
            found += 1
        if found >= _MAX_FILES:
            return


def _redacted(file: StoredFile, redaction: Redaction) -> StoredFile:
    name, content = redaction.text(file.name), redaction.content(file.content)
    has_key = name != file.name or content != file.content
    return StoredFile(name=name, content=content, has_key=has_key)
