"""One call of the command: makes the client and the output, and turns errors into exit statuses."""

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click
import stamina
import stamina.instrumentation

from client_reference.command.actions import Desk
from client_reference.command.exits import Exit, exit_of
from client_reference.command.json_lines import JsonLines
from client_reference.command.lines import Lines
from client_reference.command.output import Output
from client_reference.command.sentences import is_worth_going_on
from client_reference.command.standard_error import complain
from client_reference.command.text import shown
from client_reference.command.under_way import UnderWay
from client_reference.errors import ApixoError
from client_reference.sync_client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the arguments ask for."""

    work: Callable[[Desk], Exit]
    directory: Path | None = None
    is_json: bool
    is_debug: bool


def run(job: Job, make_client: Callable[[], Client] = Client) -> Exit:
    """Do the job; whatever is raised on purpose is told and becomes a status."""
    output = _output(job)
    under_way = UnderWay(output)
    try:
        _log(output, is_debug=job.is_debug)
        with _made(make_client) as client:
            return job.work(Desk(client, output, under_way))
    except KeyboardInterrupt:
        output.interrupted(under_way.task_ids, under_way.unanswered)
        return Exit.INTERRUPTED
    except BrokenPipeError:  # nobody reads any more: there is no file of ours behind it
        raise
    except click.UsageError as error:
        complain(error.format_message())
        return Exit.USAGE
    except (ApixoError, OSError, ValueError) as error:
        output.error(error, under_way.task_ids if is_worth_going_on(error) else [])
        return exit_of(error)


def _made(make_client: Callable[[], Client]) -> Client:
    """Make the client; httpx reads certificates and proxies from the environment meanwhile."""
    try:
        return make_client()
    except (ImportError, OSError) as error:
        raise click.UsageError(
            f"the connection cannot be set up: {shown(str(error))};"
            " check SSL_CERT_FILE, SSL_CERT_DIR and the variables that name a proxy"
        ) from error


def _output(job: Job) -> Output:
    if job.is_json:
        return JsonLines(job.directory)
    is_live = _is_screen(sys.stderr) and not job.is_debug  # a log would tear the line apart
    return Lines(job.directory, is_live=is_live)


def _is_screen(stream: TextIO | None) -> bool:
    """Say whether a line can be drawn there again and again; None is a closed stream."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def _log(output: Output, *, is_debug: bool) -> None:
    """Take over the log of the library; stamina would log retries as warnings."""

    def tell(details: stamina.instrumentation.RetryDetails) -> None:
        output.retrying(details.caused_by)

    stamina.instrumentation.set_on_retry_hooks([tell])
    if is_debug:
        handler = logging.StreamHandler()
        handler.setFormatter(_Escaped("%(asctime)s %(name)s: %(message)s"))
        logger = logging.getLogger("client_reference")
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)


class _Escaped(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return shown(super().format(record))
