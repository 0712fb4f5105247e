"""The log lines of requests, as a test collects them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from tests.patience import PATIENCE_S


class RequestLines(logging.Handler):
    """Collects the lines that the servers of this process log about requests."""

    def __init__(self) -> None:
        super().__init__()
        self._records: SimpleQueue[logging.LogRecord] = SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        self._records.put(record)

    def next(self) -> str:
        """Return the next line; wait for it if it has not been logged."""
        return self._records.get(timeout=PATIENCE_S).getMessage()

    def all(self) -> list[str]:
        """Return the lines that have been logged and were not returned before."""
        lines = []
        while not self._records.empty():
            lines.append(self._records.get().getMessage())
        return lines


@contextmanager
def logged(level: int = logging.INFO) -> Iterator[RequestLines]:
    """Log requests at this level during the block."""
    logger = logging.getLogger("mock_server.requests")
    lines = RequestLines()
    before = logger.level
    logger.addHandler(lines)
    logger.setLevel(level)
    try:
        yield lines
    finally:
        logger.setLevel(before)
        logger.removeHandler(lines)
