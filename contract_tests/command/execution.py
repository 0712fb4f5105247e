"""Run a command of the kit, print its errors and choose its exit status."""

from typing import Final

import click

from contract_tests.command.interruption import INTERRUPTED
from contract_tests.command.terminal import Entry, Terminal
from contract_tests.contract.errors import (
    ClientUnreachableError,
    InputError,
    OutputError,
    UnreachableError,
)
from contract_tests.contract.text import plain

PROGRAM: Final = "contract-tests"


def run(command: click.Command, program: str) -> int:
    """Run a command of the kit, print its error if there is one, and return its exit status."""
    try:
        return int(command.main(prog_name=program, standalone_mode=False) or 0)
    except click.Abort:
        _print_error("interrupted")
        return INTERRUPTED
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
    first, *others = map(plain, message.splitlines())
    lines = [Entry("Error: ", first, "bold red"), *(Entry("  ", line) for line in others)]
    Terminal(is_error=True).print(lines)
