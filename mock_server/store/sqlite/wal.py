"""Move what was written to the database, in a thread.

SQLite appends transactions to a second file, the write-ahead log (WAL). From time to time, their
pages must be copied to the database, so that SQLite uses the WAL from its beginning again. SQLite
waits for the disk meanwhile, often for more than ten milliseconds. It can write other transactions
at the same time, but only to another connection, and in another thread.
"""

import logging
import sqlite3
import time
from concurrent.futures import Future, ThreadPoolExecutor

from mock_server.store.sqlite.connection import Place, with_advice

logger = logging.getLogger("mock_server.store")

_PAGES_AT_ONCE = 1000  # About 4 MiB.
_MAX_PAGES = 16_000
_PAUSE_S = 10.0  # After a failure, such as a full disk.


class WalMover:
    """Empties the WAL of a file in a thread. Another connection writes to it meanwhile.

    `mover` is used in the thread only, `writer` is the connection that writes.
    """

    def __init__(self, place: Place, mover: sqlite3.Connection, writer: sqlite3.Connection) -> None:
        self._place = place
        self._mover = mover
        self._writer = writer
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-wal")
        self._move: Future[int] | None = None
        self._is_again = False  # The move follows another one at once.
        self._new_pages = 0  # Written since the last move has begun, about.
        self._pause_until_s = 0.0

    def note_commit(self, pages: int) -> None:
        """Begin to move pages, if there are many. Each transaction has written so many, about.

        It raises nothing, because the transaction has been written.
        """
        self._new_pages += pages
        move = self._move
        try:
            if move is None:
                if self._new_pages >= _PAGES_AT_ONCE and time.monotonic() >= self._pause_until_s:
                    self._begin()
            elif move.done() or self._new_pages >= _MAX_PAGES:
                self._end(move)
        except (sqlite3.Error, OSError) as error:
            path = self._place.path
            logger.warning(
                "%s-wal grows, because %s cannot be written: %s", path, path, with_advice(error)
            )
            self._pause_until_s = time.monotonic() + _PAUSE_S

    def close(self) -> None:
        """Wait until nothing is moved any more, and close the connection of the thread."""
        self._thread.shutdown()
        self._mover.close()

    def _begin(self, *, is_again: bool = False) -> None:
        self._is_again = is_again
        self._new_pages = 0
        try:
            self._move = self._thread.submit(self._move_in_thread)
        except RuntimeError:  # The system permits no other thread.
            _move(self._writer)

    def _end(self, move: "Future[int]") -> None:
        """Keep the WAL short. Under load, something is written during every move.

        So a long WAL is moved again at once, which is quick, and then the writer moves the rest,
        which is quicker, while nothing else is written.
        """
        self._move = None
        if move.result() < _MAX_PAGES:
            return
        if self._is_again:
            _move(self._writer)
        else:
            self._begin(is_again=True)

    def _move_in_thread(self) -> int:
        pages = _move(self._mover)
        # If something was written meanwhile, SQLite leaves this wait to a later move. That could be
        # one of the writer.
        self._place.wait_for_disk()
        return pages


def _move(connection: sqlite3.Connection) -> int:
    """Move the pages that the WAL has now; return their number since it began anew."""
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)
