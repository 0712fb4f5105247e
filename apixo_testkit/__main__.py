"""The command `apixo-testkit`: one name for the mock server, the client and the contract kit.

Each subcommand is the click command of another package under a new name. That package also runs it,
so signals, error messages and exit statuses are the same as those of its own command.
"""

import sys

import click

from apixo_testkit.commands import PROGRAM, command


def main() -> None:
    """Run the subcommand that the command line names; exit with 2 for invalid usage."""
    root = command()
    try:
        program = root.program_of(sys.argv[1:])
        if program is not None:
            program.main(root, PROGRAM)
        sys.exit(root.main(prog_name=PROGRAM, standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _fail(f"{error.format_message().rstrip('.')}; see {PROGRAM} --help")
    except click.Abort:
        sys.exit(130)


def _fail(message: str) -> None:
    click.echo(f"Error: {message[:1].lower()}{message[1:]}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
