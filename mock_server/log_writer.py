"""Write the lines of the log in a thread, so that the server never waits for their reader."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator

MAX_BYTES = 1024 * 1024  # For the lines that wait; the thread may have as many.
_LINE_BYTES = 41  # What Python adds to the text of a line.
_GATHER_S = 0.005  # Waking the thread for every line would cost more than writing it.
_CHUNK_BYTES = 4096  # Longer writes of processes that share a pipe may be mixed (POSIX).


class LogWriter:
    """Writes lines to a file descriptor. It drops new ones while too many wait.

    `report(count)` returns the line that says how many were dropped, which is written as soon as
    possible. `tick` is called in the thread: it may write lines, and returns the seconds until it
    wants to be called again, or None.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        report: Callable[[int], bytes],
        tick: Callable[[], float | None],
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._output = _Output(descriptor)
        self._report = report
        self._tick = tick
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._lines: list[bytes] = []
        self._bytes = 0
        self._dropped = 0
        self._is_idle = False
        self._thread: threading.Thread | None = None

    def write(self, line: bytes) -> None:
        """Write a line soon, or drop and count it. This never waits for the reader."""
        with self._changed:
            if self._bytes >= self._max_bytes:
                self._dropped += 1
                return
            self._lines.append(line)
            self._bytes += len(line) + _LINE_BYTES
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()
            elif self._is_idle:
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> None:
        """Wait until all lines are written, at most for the timeout."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._thread is None or (self._is_idle and not self._lines), timeout_s
            )

    def _run(self) -> None:
        unreported = 0
        while True:
            pause_s = self._tick()
            lines, dropped = self._next(pause_s)
            unreported += dropped + self._output.write(lines)
            if unreported and self._output.write([self._report(unreported)]) == 0:
                unreported = 0
            time.sleep(_GATHER_S)

    def _next(self, pause_s: float | None) -> tuple[list[bytes], int]:
        """Return the lines that wait, and how many were dropped after them."""
        with self._changed:
            if not self._lines:
                self._is_idle = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._lines, pause_s)
                self._is_idle = False
            lines, dropped = self._lines, self._dropped
            self._lines, self._bytes, self._dropped = [], 0, 0
            return lines, dropped


class _Output:
    """Writes to a file descriptor, and goes on after errors such as EPIPE and ENOSPC."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_torn = False  # An error has left an incomplete line behind.

    def write(self, lines: Iterable[bytes]) -> int:
        """Write lines and return how many of them were lost."""
        return sum(len(chunk) for chunk in _chunks(lines) if not self._is_written(chunk))

    def _is_written(self, chunk: list[bytes]) -> bool:
        rest = memoryview(b"".join([b"\n", *chunk] if self._is_torn else chunk))
        size = len(rest)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # Another program has made the descriptor non-blocking.
                select.select([], [self._descriptor], [])
            except OSError:
                self._is_torn = self._is_torn or len(rest) < size
                return False
        self._is_torn = False
        return True


def _chunks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines in groups that are short enough to be written at once."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and size + len(line) > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line)
    if chunk:
        yield chunk
