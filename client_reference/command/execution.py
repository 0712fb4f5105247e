"""Run a command: set up client, output and log, and turn errors into exit statuses."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TextIO

import click
import stamina
import stamina.instrumentation

from client_reference.command.interrupts import INTERRUPTS
from client_reference.command.json_output import JsonOutput
from client_reference.command.messages import can_continue, escape, print_error
from client_reference.command.output import Exit, Output, exit_of
from client_reference.command.text_output import TextOutput
from client_reference.errors import ApixoError
from client_reference.keywords import ClientKeywords
from client_reference.sync_client import Client
from client_reference.task import Task


class PendingTasks:
    """The submitted tasks whose end was not reported yet; an interrupt lists them.

    Any thread may send updates. New tasks and states are printed.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._states: dict[str, str | None] = {}
        self._unanswered = 0
        self._lock = Lock()

    @property
    def ids(self) -> list[str]:
        """The ids of the tasks in progress."""
        with self._lock:
            return list(self._states)

    @property
    def unanswered(self) -> int:
        """The number of submits without a response or an error."""
        return self._unanswered

    def begin_submit(self) -> None:
        """Count a submit that is about to be sent."""
        with self._lock:
            self._unanswered += 1

    def end_submit(self) -> None:
        """Count a submit that ended in an error, without a task."""
        with self._lock:
            self._unanswered -= 1

    def add(self, task_id: str) -> None:
        """Add a task that was submitted earlier."""
        with self._lock:
            self._states[task_id] = None

    def update(self, task: Task) -> None:
        """Add a task that was just accepted, or note its new state."""
        with self._lock:
            is_new = task.id not in self._states
            is_changed = is_new or self._states[task.id] != task.state
            self._states[task.id] = task.state
            if is_new:
                self._unanswered -= 1
        if is_new:
            self._output.submitted(task)
        elif is_changed:
            self._output.changed(task)

    def remove(self, task_id: str) -> None:
        """Remove a task whose end was reported."""
        with self._lock:
            self._states.pop(task_id, None)


@dataclass(frozen=True, slots=True)
class Session:
    """What an action works with."""

    client: Client
    output: Output
    pending: PendingTasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the command line asks for."""

    action: Callable[[Session], Exit]
    client: ClientKeywords = field(default_factory=ClientKeywords)
    directory: Path | None = None
    is_json: bool
    is_debug: bool


def run(job: Job, make_client: Callable[..., Client] = Client) -> Exit:
    """Run a job, report expected errors, and return the exit status."""
    output = _make_output(job)
    pending = PendingTasks(output)
    try:
        _set_up_log(output, is_debug=job.is_debug)
        with _connect(lambda: make_client(**job.client)) as client:
            return job.action(Session(client, output, pending))
    except KeyboardInterrupt:
        INTERRUPTS.acknowledge()
        output.interrupted(pending.ids, pending.unanswered)
        return Exit.INTERRUPTED
    except BrokenPipeError:  # The reader of standard output has closed the pipe.
        raise
    except click.UsageError as error:
        print_error(error.format_message())
        return Exit.USAGE
    except (ApixoError, OSError, ValueError) as error:
        output.error(error, pending.ids if can_continue(error) else [])
        return exit_of(error)


def working_threads() -> list[threading.Thread]:
    """Return the threads for which the interpreter would wait at its end."""
    main = threading.main_thread()
    return [each for each in threading.enumerate() if each is not main and not each.daemon]


def join_threads(timeout_s: float) -> None:
    """Wait for the working threads, but not longer than this in total."""
    until_s = time.monotonic() + timeout_s
    for thread in working_threads():
        thread.join(max(0.0, until_s - time.monotonic()))


def _connect(make_client: Callable[[], Client]) -> Client:
    """Return a client; httpx reads certificates and proxies from the environment."""
    try:
        return make_client()
    except (ImportError, OSError) as error:
        raise click.UsageError(
            f"cannot set up the connection: {escape(str(error))};"
            " check SSL_CERT_FILE, SSL_CERT_DIR and the proxy variables"
        ) from error


def _make_output(job: Job) -> Output:
    if job.is_json:
        return JsonOutput(job.directory)
    # Log lines would overwrite a live line.
    is_live = _can_redraw(sys.stderr) and not job.is_debug
    return TextOutput(job.directory, is_live=is_live)


def _can_redraw(stream: TextIO | None) -> bool:
    """Return whether the stream is a terminal that can redraw a line; None is a closed stream."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def _set_up_log(output: Output, *, is_debug: bool) -> None:
    """Report retries in the output instead of the log; with `is_debug`, log each request."""

    def report_retry(details: stamina.instrumentation.RetryDetails) -> None:
        output.retrying(details.caused_by)

    stamina.instrumentation.set_on_retry_hooks([report_retry])
    if is_debug:
        handler = logging.StreamHandler()
        handler.setFormatter(_EscapingFormatter("%(asctime)s %(name)s: %(message)s"))
        logger = logging.getLogger("client_reference")
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)


class _EscapingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return escape(super().format(record))
