"""Configure logging to standard error, as text or as one JSON object per line."""

import json
import logging
import sys
from time import gmtime, strftime


def configure_logging(log_format: str, log_level: str) -> None:
    """Replace the handlers of the root logger.

    `log_format` is `text` or `json`. `log_level` is for this program; its libraries log warnings
    and errors at most.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    level = logging.getLevelNamesMapping()[log_level.upper()]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("mock_server").setLevel(level)
    # Pillow logs errors about invalid reference images, which are no errors of the server.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)


class _TextFormatter(logging.Formatter):
    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        created = gmtime(record.created)
        line: dict[str, object] = {
            "time": strftime("%Y-%m-%dT%H:%M:%S", created) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "members", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
