"""The command `apixo-testkit`: one name for the mock server, the client and the contract kit.

Each subcommand is the click command of another package under a new name. That package also runs it,
so signals, error messages and exit statuses are the same as those of its own command.
"""

import signal
import sys

import click

from apixo_testkit.commands import PROGRAM, command
from apixo_testkit.programs import Program


def main() -> None:
    """Run the subcommand that the command line names; exit with 2 for invalid usage."""
    # A shell starts background jobs with interrupts ignored. The command respects that.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        # An interrupt ends the process without a traceback until a program handles it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The help of this command lists those of all packages and imports none of them.
    from mock_server.standard_streams import open_closed_streams, status_of  # noqa: PLC0415

    open_closed_streams()
    root = command()
    program = root.program_of(sys.argv[1:])
    sys.exit(status_of(lambda: _run(root, program), cannot_write=1))


def _run(root: click.Command, program: Program | None) -> int:
    try:
        if program is not None:
            program.main(root, PROGRAM)
        return int(root.main(prog_name=PROGRAM, standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        message = f"{error.format_message().rstrip('.')}; see {PROGRAM} --help"
        click.echo(f"Error: {message[:1].lower()}{message[1:]}", err=True)
        return 2
    except click.Abort:
        return 130


if __name__ == "__main__":
    main()
