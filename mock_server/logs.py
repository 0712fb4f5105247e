"""Configure logging to standard error, as text or as one JSON object per line."""

import json
import logging
import sys
from time import gmtime, strftime


def configure_logging(log_format: str) -> None:
    """Replace the handlers of the root logger. `log_format` is `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mock_server").setLevel(logging.INFO)
    # Pillow logs errors about invalid reference images, which are no errors of the server.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)


class _TextFormatter(logging.Formatter):
    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        created = gmtime(record.created)
        line = {
            "time": strftime("%Y-%m-%dT%H:%M:%S", created) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
