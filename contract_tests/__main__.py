"""The command `contract-tests`."""

import io
import signal
import sys
from types import FrameType

import click

from contract_tests.contract.errors import InputError, UnreachableError


def main() -> None:
    """Run the command. Exit with 2 for invalid input and 3 if the target does not respond."""
    from contract_tests.command import cli  # noqa: PLC0415  # slow to import

    signal.signal(signal.SIGTERM, _exit_on_signal)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # The command does not run under nohup.
        signal.signal(signal.SIGHUP, _exit_on_signal)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # A character that the encoding does not have must not end the run.
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(cli.main(prog_name="contract-tests", standalone_mode=False))
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except InputError as error:
        click.echo(f"contract-tests: {error}", err=True)
        sys.exit(2)
    except UnreachableError as error:
        click.echo(f"contract-tests: {error}", err=True)
        sys.exit(3)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    """Exit through the context managers, so that a started mock stops as well."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
