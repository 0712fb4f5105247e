"""The command `client-reference`: reads its arguments, does the job, and leaves with its status."""

import io
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import click

from client_reference.command.exits import Exit
from client_reference.command.sentences import COMMAND
from client_reference.command.standard_error import complain
from client_reference.command.threads import left_working


def main() -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in the background of a script
        signal.signal(signal.SIGINT, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not so when it is closed
            stream.reconfigure(errors="backslashreplace")
    _leave(_status())


def _status() -> int:
    try:
        return _run()
    except (KeyboardInterrupt, click.Abort):  # before or after the work
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.BROKEN_PIPE
    except OSError:  # standard error cannot be written, so there is no way to say so
        return Exit.REFUSED


def _run() -> int:
    from client_reference.command.cli import command  # noqa: PLC0415  # in reach of _interrupt
    from client_reference.command.session import Job, run  # noqa: PLC0415

    try:
        asked = command().main(prog_name=COMMAND, standalone_mode=False)
    except click.ClickException as error:
        words = " ".join(error.format_message().split())
        complain(f"{words} (see {COMMAND} --help)")
        return Exit.USAGE
    return run(asked) if isinstance(asked, Job) else int(asked)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    """Ask for an orderly end, once: a second signal must not cut what is said at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _leave(status: int) -> NoReturn:
    """Exit at once: the interpreter would wait for the threads of a batch that was given up."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:  # or the interpreter tries again, and complains
                with suppress(OSError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if left_working():
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
