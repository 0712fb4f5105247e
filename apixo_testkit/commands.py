"""The click group of `apixo-testkit`."""

from collections.abc import Sequence
from typing import Final

import click

from apixo_testkit.programs import PROGRAMS, Program

PROGRAM: Final = "apixo-testkit"
_BY_COMMAND: Final = {name: program for program in PROGRAMS for name in program.commands}


class Commands(click.Group):
    """A group that imports a subcommand when it is called; the help needs none of them."""

    def program_of(self, arguments: Sequence[str]) -> Program | None:
        """Return the program that the first argument selects, if it selects one."""
        return _BY_COMMAND.get(arguments[0]) if arguments else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, placeholder, rest = super().resolve_command(ctx, args)
        if name is None or placeholder is None:
            return name, placeholder, rest
        return name, _BY_COMMAND[name].load(name), rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for program in PROGRAMS:
            with formatter.section(program.title):
                formatter.write_dl(list(program.commands.items()))


def command() -> Commands:
    """Return the group, with a placeholder for each subcommand."""
    group = Commands(
        PROGRAM,
        commands={
            name: click.Command(name, help=text)
            for program in PROGRAMS
            for name, text in program.commands.items()
        },
        help="Simulate the APIXO gpt-image-1 endpoints, call them, and test servers and clients.",
        epilog=f"`{PROGRAM} COMMAND --help` shows the switches of a command.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    return click.version_option(package_name=PROGRAM, message=f"{PROGRAM} %(version)s")(group)
