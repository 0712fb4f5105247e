"""Log a warning that is repeated many times as one line with a count."""

import logging
import time
from collections.abc import Callable
from threading import Lock
from traceback import format_exception_only

WINDOW_S = 10.0
MAX_TEXTS = 1000  # Further warnings are logged one by one.
_MAX_LENGTH = 500

_Key = tuple[str, int, str]


class _Repeated:
    """How often a warning was repeated in its window."""

    def __init__(self, ends_s: float) -> None:
        self.ends_s = ends_s
        self.count = 0


class RepeatedWarnings:
    """Admits the first of equal warnings and errors, and counts the others for some seconds.

    Warnings are equal if their logger, level, exception and text are equal. If the text names a
    task or another changing detail, `extra={"summary": …}` replaces it for the comparison.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = Lock()
        self._by_key: dict[_Key, _Repeated] = {}  # In the order in which the windows end.

    def admits(self, record: logging.LogRecord) -> bool:
        """Return whether to log this record now; False if it is counted instead."""
        key = (record.name, record.levelno, _text(record))
        with self._lock:
            repeated = self._by_key.get(key)
            if repeated is None:
                if len(self._by_key) < MAX_TEXTS:
                    self._by_key[key] = _Repeated(self._now_s() + WINDOW_S)
                return True
            repeated.count += 1
            return False

    def due(self) -> tuple[list[logging.LogRecord], float | None]:
        """Return a summary for each window that has ended, and the seconds until the next end.

        After such a summary, a new window begins for the warning.
        """
        now_s = self._now_s()
        summaries: list[logging.LogRecord] = []
        with self._lock:
            while self._by_key:
                key, repeated = next(iter(self._by_key.items()))
                if repeated.ends_s > now_s:
                    return summaries, repeated.ends_s - now_s
                del self._by_key[key]
                if repeated.count:
                    summaries.append(_summary(key, repeated.count))
                    self._by_key[key] = _Repeated(now_s + WINDOW_S)
        return summaries, None

    def rest(self) -> list[logging.LogRecord]:
        """Return a summary for each window now, and forget all."""
        with self._lock:
            repeated, self._by_key = self._by_key, {}
        return [_summary(key, each.count) for key, each in repeated.items() if each.count]


def _text(record: logging.LogRecord) -> str:
    text: str = getattr(record, "summary", "") or record.getMessage()
    if record.exc_info and record.exc_info[1]:
        text = f"{text}: {''.join(format_exception_only(record.exc_info[1])).strip()}"
    return text[:_MAX_LENGTH]


def _summary(key: _Key, count: int) -> logging.LogRecord:
    name, level, text = key
    return logging.makeLogRecord(
        {
            "name": name,
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": "%d more within %g s: %s",
            "args": (count, WINDOW_S, text),
            "members": {"repeated": count},
        }
    )
