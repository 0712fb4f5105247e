"""The file of a `SqliteStore`: its tables, and the transactions that change them.

Each sandbox in the file has a number that no other sandbox ever had, a checkpoint, and the log
after it. Rows with a number that is not in the table `sandbox` are remainders: they may be deleted.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Literal, NamedTuple

from mock_server.domain.errors import InvalidValue, StoreUnavailable
from mock_server.store.sqlite.connection import (
    NOT_OURS,
    Place,
    newer_format,
    why_unusable,
    with_advice,
)
from mock_server.store.sqlite.wal import WalMover

Sync = Literal["normal", "full"]

_APPLICATION_ID = int.from_bytes(b"APXO", "big")
_SCHEMA = 1  # A change that older code cannot read increases it.
_PAGE_BYTES = 4096
_PAGES_OF_A_TRANSACTION = 2
_TABLES = """
CREATE TABLE server (format INTEGER NOT NULL, seed TEXT NOT NULL, catalogue TEXT NOT NULL);
CREATE TABLE sandbox (number INTEGER PRIMARY KEY, id TEXT NOT NULL, entry INTEGER NOT NULL);
CREATE TABLE checkpoint (
    sandbox INTEGER NOT NULL, entry INTEGER NOT NULL, slice INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (sandbox, entry, slice)
);
CREATE TABLE log (
    sandbox INTEGER NOT NULL, entry INTEGER NOT NULL, batch BLOB NOT NULL,
    PRIMARY KEY (sandbox, entry)
);
"""
_DELETE_REMAINDERS = """
DELETE FROM log WHERE sandbox NOT IN (SELECT number FROM sandbox)
    OR entry <= (SELECT entry FROM sandbox WHERE number = log.sandbox);
DELETE FROM checkpoint WHERE sandbox NOT IN (SELECT number FROM sandbox)
    OR entry <> (SELECT entry FROM sandbox WHERE number = checkpoint.sandbox);
"""


class StoredSandbox(NamedTuple):
    """A sandbox in the file; its checkpoint includes the log up to `entry`."""

    number: int
    id: str
    entry: int


class Header(NamedTuple):
    """What a file says about all its sandboxes. Their logs need the catalogue, a JSON text."""

    format: int
    seed: int
    catalogue: str


class SqliteFile:
    """An open file, which no other process can open.

    What changes it must be called within `transaction`. Writing raises StoreUnavailable, reading
    sqlite3.Error.
    """

    def __init__(self, path: str, sync: Sync) -> None:
        """Open and lock the file; create it if it does not exist. Raises InvalidValue."""
        self.path = path
        self._place = Place(path)
        self._pages = 0  # That this transaction writes, about.
        with ExitStack() as undo:
            undo.callback(self._place.release)
            try:
                self._db = undo.enter_context(closing(self._place.connect()))
                self._execute = self._db.execute
                self._prepare(sync)
                mover = undo.enter_context(closing(self._place.connect()))
                # It opens the files here, before somebody may replace one.
                mover.execute("SELECT count(*) FROM server").fetchone()
                mover.execute(f"PRAGMA synchronous = {sync}")
            except sqlite3.Error as error:
                raise InvalidValue("--store", f"{path} {why_unusable(error)}") from error
            undo.pop_all()
        self._mover = WalMover(self._place, mover, self._db)
        # A server must be able to start with a full disk. The next start tries again.
        with suppress(StoreUnavailable), self.transaction():
            self._execute_all(_DELETE_REMAINDERS)

    def header(self) -> Header | None:
        """Return the header, or None if the file is new."""
        row = self._execute("SELECT format, seed, catalogue FROM server").fetchone()
        return None if row is None else Header(row[0], int(row[1]), row[2])

    def set_header(self, header: Header) -> None:
        self._execute("DELETE FROM server")
        row = (header.format, str(header.seed), header.catalogue)  # A seed may have over 63 bits.
        self._execute("INSERT INTO server VALUES (?, ?, ?)", row)

    @property
    def has_log(self) -> bool:
        """Whether any sandbox has a log behind its checkpoint."""
        return self._execute("SELECT 1 FROM log LIMIT 1").fetchone() is not None

    def sandboxes(self) -> Sequence[StoredSandbox]:
        """Return all sandboxes, in the order in which they were created."""
        rows = self._execute("SELECT number, id, entry FROM sandbox ORDER BY number")
        return [StoredSandbox(*row) for row in rows]

    def checkpoint(self, sandbox: StoredSandbox) -> bytes:
        slices = self._execute(
            "SELECT data FROM checkpoint WHERE sandbox = ? AND entry = ? ORDER BY slice",
            (sandbox.number, sandbox.entry),
        )
        return b"".join(data for (data,) in slices)

    def log(self, sandbox: StoredSandbox) -> Iterator[tuple[int, bytes]]:
        """Yield the numbers of the entries behind the checkpoint, and the entries."""
        return self._execute(
            "SELECT entry, batch FROM log WHERE sandbox = ? AND entry > ? ORDER BY entry",
            (sandbox.number, sandbox.entry),
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything that is changed within, or nothing of it.

        Within another transaction, it is a part of that one.
        """
        if self._db.in_transaction:
            yield
            return
        self._place.check()
        self._pages = _PAGES_OF_A_TRANSACTION
        try:
            self._execute("BEGIN IMMEDIATE")
            yield
            self._execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise StoreUnavailable(f"cannot write {self.path}: {with_advice(error)}") from error
        except BaseException:
            self._roll_back()
            raise
        self._mover.note_commit(self._pages)

    def add_sandbox(self, number: int, sandbox_id: str) -> None:
        self._execute("INSERT INTO sandbox VALUES (?, ?, 0)", (number, sandbox_id))

    def remove_sandbox(self, number: int) -> None:
        """Remove a sandbox; its checkpoint and its log become remainders."""
        self._execute("DELETE FROM sandbox WHERE number = ?", (number,))

    def append(self, number: int, entry: int, batch: bytes) -> None:
        self._execute("INSERT INTO log VALUES (?, ?, ?)", (number, entry, batch))
        self._pages += 1 + len(batch) // _PAGE_BYTES

    def add_slice(self, number: int, entry: int, index: int, data: bytes) -> None:
        """Add a slice of a checkpoint that includes the log up to `entry`."""
        self._execute("INSERT INTO checkpoint VALUES (?, ?, ?, ?)", (number, entry, index, data))
        self._pages += 1 + len(data) // _PAGE_BYTES

    def complete_checkpoint(self, number: int, entry: int) -> None:
        """Use a new checkpoint. The one before it and the log up to it become remainders."""
        self._execute("UPDATE sandbox SET entry = ? WHERE number = ?", (entry, number))

    def delete_remainders(self, number: int, *, batches: int, slices: int) -> bool:
        """Delete so many rows that are no longer needed; return whether there may be more.

        A sandbox without a row keeps none.
        """
        row = self._execute("SELECT entry FROM sandbox WHERE number = ?", (number,)).fetchone()
        last, kept = (2**62, -1) if row is None else (row[0], row[0])
        deleted_batches = self._execute(
            "DELETE FROM log WHERE rowid IN"
            " (SELECT rowid FROM log WHERE sandbox = ? AND entry <= ? LIMIT ?)",
            (number, last, batches),
        )
        deleted_slices = self._execute(
            "DELETE FROM checkpoint WHERE rowid IN"
            " (SELECT rowid FROM checkpoint WHERE sandbox = ? AND entry <> ? LIMIT ?)",
            (number, kept, slices),
        )
        self._pages += deleted_batches.rowcount + deleted_slices.rowcount
        return deleted_batches.rowcount == batches or deleted_slices.rowcount == slices

    def close(self) -> None:
        """Close the file; SQLite removes the other files beside it."""
        self._mover.close()
        self._db.close()
        self._place.release()

    def _prepare(self, sync: Sync) -> None:
        self._execute("BEGIN EXCLUSIVE")
        if self._is_empty():
            self._create_tables()
        else:
            self._check_version()
        self._execute("COMMIT")
        self._execute("PRAGMA journal_mode = WAL")
        self._execute(f"PRAGMA synchronous = {sync}")
        self._execute("PRAGMA wal_autocheckpoint = 0")  # The mover does it.

    def _is_empty(self) -> bool:
        [tables] = self._execute("SELECT count(*) FROM sqlite_master").fetchone()
        return not tables and not self._pragma("application_id")

    def _create_tables(self) -> None:
        self._execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        self._execute(f"PRAGMA user_version = {_SCHEMA}")
        self._execute_all(_TABLES)

    def _check_version(self) -> None:
        if self._pragma("application_id") != _APPLICATION_ID:
            raise InvalidValue("--store", f"{self.path} {NOT_OURS}")
        schema = self._pragma("user_version")
        if schema > _SCHEMA:
            raise InvalidValue("--store", newer_format(self.path, schema, _SCHEMA))

    def _execute_all(self, statements: str) -> None:
        """Execute statements within a transaction, which `executescript` would commit."""
        for statement in statements.strip().split(";\n"):
            self._execute(statement)

    def _pragma(self, name: str) -> int:
        [value] = self._execute(f"PRAGMA {name}").fetchone()
        return int(value)

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            with suppress(sqlite3.Error):  # After some errors, SQLite has done it already.
                self._execute("ROLLBACK")
