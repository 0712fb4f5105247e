"""Configure logging to standard error, as text or as one JSON object per line."""

import json
import logging
import os
import sys
from time import gmtime, strftime
from traceback import format_exc
from typing import TextIO

from mock_server.log_repeats import RepeatedWarnings
from mock_server.log_writer import LogWriter

_FLUSH_S = 2.0


def configure_logging(log_format: str, log_level: str, *, shows_process: bool = False) -> None:
    """Replace the handlers of the root logger.

    `log_format` is `text` or `json`. `log_level` is for this program; its libraries log warnings
    and errors at most. With `shows_process`, each line has the number of its process.
    """
    make = _JsonFormatter if log_format == "json" else _TextFormatter
    handler = logging.NullHandler() if sys.stderr is None else LogHandler(sys.stderr)
    handler.setFormatter(make(shows_process=shows_process))
    root = logging.getLogger()
    root.handlers = [handler]
    level = logging.getLevelNamesMapping()[log_level.upper()]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("mock_server").setLevel(level)
    # Pillow logs errors about invalid reference images, which are no errors of the server.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)


class LogHandler(logging.Handler):
    """Logs to a stream without waiting for its reader. Repeated warnings become one line.

    If the reader stops reading, lines are dropped, and a later line says how many. At its end, the
    process waits up to two seconds until all lines are written.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._descriptor = stream.fileno()
        self._encoding = stream.encoding
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # Threads do not survive a fork.

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if record.levelno < logging.WARNING or self._repeated.admits(record):
                self._writer.write(self._line(record))
        except Exception:  # noqa: BLE001  # As other handlers do: logging must not raise.
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Log the current exception. The base class would write to the stream and wait."""
        error = f"{record.name}: cannot log {record.msg!r}: {format_exc()}"
        self._writer.write(self._encoded(error.rstrip()))

    def flush(self) -> None:
        """Log the counts of repeated warnings; wait until everything is written, or a timeout."""
        for record in self._repeated.rest():
            self._writer.write(self._line(record))
        self._writer.flush(_FLUSH_S)

    def _begin(self) -> None:
        """Begin without lines, because a parent process writes its own."""
        self._repeated = RepeatedWarnings()
        self._writer = LogWriter(self._descriptor, report=self._dropped, tick=self._tick)

    def _tick(self) -> float | None:
        summaries, next_s = self._repeated.due()
        for record in summaries:
            self._writer.write(self._line(record))
        return next_s

    def _dropped(self, count: int) -> bytes:
        return self._line(
            logging.makeLogRecord(
                {
                    "name": "mock_server",
                    "levelno": logging.WARNING,
                    "levelname": "WARNING",
                    "msg": "lines of this log were dropped because they could not be written: %d",
                    "args": (count,),
                    "members": {"dropped": count},
                }
            )
        )

    def _line(self, record: logging.LogRecord) -> bytes:
        return self._encoded(self.format(record))

    def _encoded(self, text: str) -> bytes:
        return f"{text}\n".encode(self._encoding, "backslashreplace")


class _TextFormatter(logging.Formatter):
    default_msec_format = "%s.%03d"

    def __init__(self, *, shows_process: bool) -> None:
        process = "[%(process)d]" if shows_process else ""
        super().__init__(f"%(asctime)s %(levelname)s %(name)s{process}: %(message)s")


class _JsonFormatter(logging.Formatter):
    def __init__(self, *, shows_process: bool) -> None:
        super().__init__()
        self._shows_process = shows_process

    def format(self, record: logging.LogRecord) -> str:
        created = gmtime(record.created)
        line: dict[str, object] = {
            "time": strftime("%Y-%m-%dT%H:%M:%S", created) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if self._shows_process:
            line["process"] = record.process
        line |= getattr(record, "members", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
