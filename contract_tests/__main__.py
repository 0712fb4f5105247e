"""The command `contract-tests`. It handles signals before it imports the slow modules."""

import io
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

_PROGRAM = "contract-tests"
_INTERRUPTED = 130


def main(command: "click.Command | None" = None, program: str = _PROGRAM) -> None:
    """Run this command, by default `contract-tests`, under the name that the user called.

    Exit with 2 for invalid input, 3 if the target cannot be tested, 4 if a report or the output
    cannot be written, and 141 if nobody reads the output.
    """
    _end_at_interrupts()
    from contract_tests.contract.extra import missing_extra  # noqa: PLC0415
    from contract_tests.contract.standard_streams import (  # noqa: PLC0415
        open_closed_streams,
        status_of,
    )

    open_closed_streams()
    missing = missing_extra()
    if missing is not None:
        sys.stderr.write(f"Error: {missing}\n")  # The modules that print errors may be missing.
        sys.exit(2)
    from contract_tests.command import cli  # noqa: PLC0415  # slow to import
    from contract_tests.command.execution import run  # noqa: PLC0415

    for stream in (sys.stdout, sys.stderr):
        # A character that the encoding does not have must not end the run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        _handle_signals()
        status = status_of(lambda: run(command or cli, program), cannot_write=4)
    except KeyboardInterrupt:  # It came before or after the command, which handles its own.
        status = _INTERRUPTED
    finally:
        _end_at_interrupts()
    sys.exit(status)


def _end_at_interrupts() -> None:
    """Let an interrupt end the process without a traceback: there is nothing to clean up."""
    # A shell starts background jobs with interrupts ignored. The command respects that.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _handle_signals() -> None:
    """Let signals raise exceptions, so that context managers stop a mock that was started."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _exit_on_signal)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # The command does not run under nohup.
        signal.signal(signal.SIGHUP, _exit_on_signal)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
