"""Open the file of a store, and say what is wrong with one that cannot be opened."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from mock_server.domain.errors import InvalidValue, reason_of

_LOCK_TIMEOUT_S = 0.2  # Of two processes that start at once, one must get the file.
_SMALLEST_DATABASE_BYTES = 512
NOT_OURS = "is not a store of this server; name another file, or one that does not exist"


def newer_format(path: str, found: int, known: int) -> str:
    return (
        f"{path} was written by a newer version (format {found}, this version reads up to"
        f" {known}); update apixo-testkit, or name another file"
    )


def damaged(error: Exception) -> str:
    return f"is damaged ({error}); restore a copy, or name another file"


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to a file; create it if it does not exist."""
    folder = path.absolute().parent
    # A file that a server of this process has open must not be opened here: closing it again
    # would release the locks that SQLite holds.
    try:
        with suppress(FileExistsError):  # Only its owner can read it, because it contains prompts.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        size = path.stat().st_size
    except (OSError, ValueError) as error:  # A ValueError is about a null character.
        problem = f"cannot open {path}: {reason_of(error)}"
        if isinstance(error, FileNotFoundError) and not folder.exists():
            problem = f"{folder} does not exist; create it, or name another file"
        raise InvalidValue("--store", problem) from error
    if path.is_dir():
        raise InvalidValue("--store", f"{path} is a directory; name a file in it")
    for place in (path, folder):  # SQLite creates a file beside it.
        if not os.access(place, os.R_OK | os.W_OK):
            raise InvalidValue(
                "--store", f"cannot write {place}; change its permissions, or name another file"
            )
    if 0 < size < _SMALLEST_DATABASE_BYTES:  # SQLite would overwrite it.
        raise InvalidValue("--store", f"{path} {NOT_OURS}")
    return sqlite3.connect(
        path.absolute(),  # So `:memory:` is a file, too.
        timeout=_LOCK_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,  # A server may run in another thread than the one that made it.
    )


def why_unusable(error: sqlite3.Error) -> str:
    """Return what is wrong with a file and what to do, to be put behind its path."""
    match error.sqlite_errorcode & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                "is used by another process; stop it, or name another file"
                " (only one server can use a file)"
            )
        case sqlite3.SQLITE_NOTADB:
            return NOT_OURS
        case sqlite3.SQLITE_CORRUPT:
            return damaged(error)
    return f"cannot be used: {error}"
