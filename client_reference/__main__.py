"""The command `client-reference`: parse arguments, run the job, exit with its status."""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

from client_reference.command.cli import command
from client_reference.command.execution import Job, run, working_threads
from client_reference.command.interrupts import INTERRUPTS
from client_reference.command.messages import (
    COMMAND,
    Caller,
    message_of,
    print_error,
    usage_message,
)
from client_reference.command.output import Exit


def main(root: click.Command | None = None, program: str = COMMAND) -> None:
    """Run this command, by default `client-reference`, under the name that the user called."""
    Caller.program = program
    INTERRUPTS.handle()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # A closed stream is None.
            stream.reconfigure(errors="backslashreplace")
    _exit(run_command(root=root))


def run_command(arguments: Sequence[str] | None = None, root: click.Command | None = None) -> int:
    """Run the command with these arguments, else those of the process; return its status."""
    output = sys.stdout
    try:
        return _run(arguments, root or command())
    except (
        KeyboardInterrupt,
        click.Abort,
    ):  # The interrupt came before or after the job, which handles its own interrupts.
        INTERRUPTS.acknowledge()
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.BROKEN_PIPE
    except OSError as error:
        with suppress(OSError):  # It may be standard error that cannot be written.
            print_error(message_of(error))
        return Exit.REJECTED
    except SystemExit:
        if sys.stdout is output:
            raise
        sys.stdout = output  # click replaces it when nobody reads it any longer.
        return Exit.BROKEN_PIPE


def _run(arguments: Sequence[str] | None, root: click.Command) -> int:
    try:
        job = root.main(arguments, prog_name=Caller.program, standalone_mode=False)
    except click.ClickException as error:
        print_error(usage_message(error))
        return Exit.USAGE
    return run(job) if isinstance(job, Job) else int(job)


def _exit(status: int) -> NoReturn:
    """Exit at once: the interpreter would wait for the threads of an interrupted batch."""
    INTERRUPTS.acknowledge()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:  # The interpreter would flush again, and print an error.
                with suppress(OSError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if working_threads():
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
