"""The command `contract-tests`."""

import io
import signal
import sys
from types import FrameType

import click

from contract_tests.contract.errors import (
    ClientUnreachableError,
    InputError,
    OutputError,
    UnreachableError,
)
from contract_tests.contract.extra import missing_extra
from contract_tests.contract.standard_streams import open_closed_streams, status_of
from contract_tests.contract.text import plain

PROGRAM = "contract-tests"


def main(command: click.Command | None = None, program: str = PROGRAM) -> None:
    """Run this command, by default `contract-tests`, under the name that the user called.

    Exit with 2 for invalid input, 3 if the target cannot be tested, 4 if a report or the output
    cannot be written, and 141 if nobody reads the output.
    """
    open_closed_streams()
    missing = missing_extra()
    if missing is not None:
        click.echo(f"Error: {missing}", err=True)  # What _print_error needs may be missing.
        sys.exit(2)
    from contract_tests.command import cli  # noqa: PLC0415  # slow to import

    signal.signal(signal.SIGTERM, _exit_on_signal)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # The command does not run under nohup.
        signal.signal(signal.SIGHUP, _exit_on_signal)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # A character that the encoding does not have must not end the run.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(status_of(lambda: _run(command or cli, program), cannot_write=4))


def _run(command: click.Command, program: str) -> int:
    try:
        return int(command.main(prog_name=program, standalone_mode=False) or 0)
    except click.Abort:
        _print_error("interrupted")
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        _print_error(usage_message(error))
        return 2
    except InputError as error:
        _print_error(str(error))
        return 2
    except (UnreachableError, ClientUnreachableError) as error:
        _print_error(str(error))
        return 3
    except OutputError as error:
        _print_error(str(error))
        return 4


def usage_message(error: click.ClickException) -> str:
    """Return where the usage is invalid, what is wrong, and the command that shows the help."""
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        option = error.param
        where = option.opts[0] if isinstance(option, click.Option) else error.param_hint
        where = where or (option.human_readable_name if option is not None else "")
        message = f"{where}: {error.message}"
    else:
        message = error.format_message()
        # The sentences of click begin with a capital.
        if type(error) is not click.UsageError or message.startswith("Got "):
            message = message[:1].lower() + message[1:]
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = PROGRAM if context is None else context.command_path
    return f"{message.rstrip('.')}; see {command} --help"


def _print_error(message: str) -> None:
    from contract_tests.command.terminal import Entry, Terminal  # noqa: PLC0415  # slow to import

    first, *others = map(plain, message.splitlines())
    lines = [Entry("Error: ", first, "bold red"), *(Entry("  ", line) for line in others)]
    Terminal(is_error=True).print(lines)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    """Exit through the context managers, so that a started mock stops as well."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
