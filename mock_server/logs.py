"""Configure logging to standard error, as text or as one JSON object per line."""

import json
import logging
import sys
from time import gmtime, strftime


def configure_logging(log_format: str, log_level: str, *, shows_process: bool = False) -> None:
    """Replace the handlers of the root logger.

    `log_format` is `text` or `json`. `log_level` is for this program; its libraries log warnings
    and errors at most. With `shows_process`, each line has the number of its process.
    """
    handler = logging.StreamHandler(sys.stderr)
    make = _JsonFormatter if log_format == "json" else _TextFormatter
    handler.setFormatter(make(shows_process=shows_process))
    root = logging.getLogger()
    root.handlers = [handler]
    level = logging.getLevelNamesMapping()[log_level.upper()]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("mock_server").setLevel(level)
    # Pillow logs errors about invalid reference images, which are no errors of the server.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)


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
