"""Open the file of a store, and say what is wrong with one that cannot be used."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from mock_server.domain.errors import InvalidValue, StoreUnavailable, reason_of

_LOCK_TIMEOUT_S = 0.2  # Of two processes that start at once, one must get the file.
_SMALLEST_DATABASE_BYTES = 512
# With it, SQLite keeps other processes from the file, but allows several connections of this one.
_LOCKING = "unix-excl"
NOT_OURS = "is not a store of this server; name another file, or one that does not exist"
IN_USE = (
    "is used by another process; stop it, or name another file (only one server can use a file)"
)

_open_files: "dict[tuple[int, int], Place]" = {}


class Place:
    """Where the file of a store is. No other store, in this process or another, gets it.

    `connect` creates the file if it does not exist. After the last connection, call `release`.
    """

    def __init__(self, path: str) -> None:
        """Reserve the path for this store. Raises InvalidValue if that is not possible."""
        self.path = path
        self._place = Path(path).expanduser()
        self._identity = _identity_of_new(self._place)
        if self._identity in _open_files:
            raise InvalidValue("--store", f"{path} {IN_USE}")
        try:
            # To close it releases the locks that SQLite holds, so it stays open until `release`.
            self._descriptor = os.open(self._place, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _not_openable(self._place, error) from error
        _open_files[self._identity] = self

    def connect(self) -> sqlite3.Connection:
        """Return a connection, which any thread may use, but one at a time."""
        return sqlite3.connect(
            f"{self._place.absolute().as_uri()}?vfs={_LOCKING}",  # So `:memory:` is a file, too.
            uri=True,
            timeout=_LOCK_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )

    def wait_for_disk(self) -> None:
        """Wait until the disk has all that was written to the database. Raises OSError."""
        os.fsync(self._descriptor)

    def check(self) -> None:
        """Raise StoreUnavailable if the next start would not find what is written now."""
        try:
            found = _identity(self._place)
        except OSError:
            found = None
        if found != self._identity:
            raise StoreUnavailable(
                f"cannot write {self.path}: it was deleted or replaced; put it back, or restart"
                " the server"
            )

    def release(self) -> None:
        """Let others have the file. It may be called twice."""
        if _open_files.get(self._identity) is self:
            os.close(self._descriptor)
            del _open_files[self._identity]


def newer_format(path: str, found: int, known: int) -> str:
    return (
        f"{path} was written by a newer version (format {found}, this version reads up to"
        f" {known}); update apixo-testkit, or name another file"
    )


def damaged(error: Exception) -> str:
    return f"is damaged ({error}); restore a copy, or name another file"


def why_unusable(error: sqlite3.Error) -> str:
    """Return what is wrong with a file and what to do, to be put behind its path."""
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return IN_USE
        case sqlite3.SQLITE_NOTADB:
            return NOT_OURS
        case sqlite3.SQLITE_CORRUPT:
            return damaged(error)
    return f"cannot be used: {with_advice(error)}"


def with_advice(error: Exception) -> str:
    """Return why a file could not be written, and what to do."""
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return f"{error}; free some space"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"{error}; make the file and its folder writable for this server"
        case sqlite3.SQLITE_IOERR:
            return f"{error}; check the disk and its free space"
    return reason_of(error)


def _code(error: Exception) -> int:
    # Only errors of SQLite itself have a code.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _identity(place: Path) -> tuple[int, int]:
    found = place.stat()
    return found.st_dev, found.st_ino


def _identity_of_new(place: Path) -> tuple[int, int]:
    """Return what identifies a file that can be a store; create it if it does not exist."""
    folder = place.absolute().parent
    # A file that a server of this process has open must not be opened here: closing it again
    # would release the locks that SQLite holds.
    try:
        with suppress(FileExistsError):  # Only its owner can read it, because it contains prompts.
            os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        size = place.stat().st_size
    except FileNotFoundError as error:
        problem = f"cannot open {place}: {reason_of(error)}"
        if not folder.exists():
            problem = f"{folder} does not exist; create it, or name another file"
        raise InvalidValue("--store", problem) from error
    except PermissionError as error:
        raise InvalidValue("--store", _not_permitted(folder)) from error
    except (OSError, ValueError) as error:  # A ValueError is about a null character.
        raise _not_openable(place, error) from error
    if place.is_dir():
        raise InvalidValue("--store", f"{place} is a directory; name a file in it")
    for each in (place, folder):  # SQLite creates a file beside it.
        if not os.access(each, os.R_OK | os.W_OK):
            raise InvalidValue("--store", _not_permitted(each))
    if 0 < size < _SMALLEST_DATABASE_BYTES:  # SQLite would overwrite it.
        raise InvalidValue("--store", f"{place} {NOT_OURS}")
    return _identity(place)


def _not_openable(place: Path, error: Exception) -> InvalidValue:
    return InvalidValue("--store", f"cannot open {place}: {reason_of(error)}; name another file")


def _not_permitted(place: Path) -> str:
    with suppress(OSError):  # Without permission to search its folder, nobody can tell.
        if os.statvfs(place).f_flag & os.ST_RDONLY:
            return f"cannot write {place}: its disk is read-only; name a file on another disk"
    return (
        f"cannot write {place}; change its permissions, so that user {os.getuid()} can write it,"
        " or name another file"
    )
