"""The command `mock-server`: reads its switches, then serves."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from mock_server.domain.errors import InvalidValue
from mock_server.domain.setting import Declaration, declarations
from mock_server.settings.server import ENV_PREFIX, Settings, default_text, switch
from mock_server.settings.sources import load_settings, unknown_variables
from mock_server.version import __version__

PROGRAM = "mock-server"
_EPILOG = (
    f"Each switch is also an environment variable ({ENV_PREFIX}PORT …) and a key of the TOML file"
    " (port …). Precedence: command line, then environment, then file."
)


def run(arguments: list[str], root: click.Command | None = None, program: str = PROGRAM) -> int:
    """Run the command and return its exit status. Error messages are one line."""
    root = root or command()
    try:
        return int(root.main(arguments, prog_name=program, standalone_mode=False) or 0)
    except click.ClickException as error:
        return _failed(_usage_message(error, program), 2)


class _WideFormatter(click.HelpFormatter):
    """Makes the column wide enough for the longest switch, so that each takes one line."""

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 40, col_spacing: int = 2
    ) -> None:
        super().write_dl(rows, col_max, col_spacing)


class _Context(click.Context):
    formatter_class = _WideFormatter


class _Command(click.Group):
    context_class = _Context


def command() -> click.Group:
    """Return the command. Without a subcommand it serves."""
    return _Command(
        PROGRAM,
        params=[_config(), *map(_option, _switches()), _version()],
        callback=_serve,
        commands={"schema": click.Command("schema", callback=_print_schema, help=_SCHEMA_HELP)},
        invoke_without_command=True,
        help="Simulate the APIXO gpt-image-1 endpoints.",
        epilog=_EPILOG,
        subcommand_metavar="[schema]",
        context_settings={"max_content_width": 160, "help_option_names": ["-h", "--help"]},
    )


_SCHEMA_HELP = "Print the JSON Schema of the configuration file."


def _print_schema() -> None:
    # Only this subcommand needs these modules, and they are slow to import.
    from mock_server.catalogue_files import load_catalogue  # noqa: PLC0415
    from mock_server.control.openapi.rules import rule_schemas  # noqa: PLC0415
    from mock_server.settings.file_schema import file_schema  # noqa: PLC0415

    schema = file_schema(rule_schemas(load_catalogue(Settings()).fail_messages))
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))


@click.pass_context
def _serve(context: click.Context, /, config: str | None, **given: Any) -> int:
    if context.invoked_subcommand is not None:
        return 0
    path = os.environ.get(f"{ENV_PREFIX}CONFIG") if config is None else config
    chosen = {name: value for name, value in given.items() if value not in {None, ()}}
    try:
        settings = load_settings(chosen, os.environ, None if path is None else Path(path))
        from mock_server import server  # noqa: PLC0415  # slow to import, and --help does not need it
    except InvalidValue as error:
        return _failed(str(error), 2)
    try:
        server.run(settings, unknown_variables(os.environ))
    except InvalidValue as error:
        return _failed(str(error), 2)
    except (server.ListenError, server.WorkersFailed) as error:
        return _failed(str(error), 1)
    return 0


def _switches() -> list[Declaration]:
    return [each for each in declarations(Settings) if not each.setting.is_file_only]


def _option(declaration: Declaration) -> click.Option:
    name = switch(declaration)
    help_text = f"{declaration.setting.help}  [default: {default_text(declaration)}]"
    if declaration.is_flag:
        return click.Option([f"{name}/--no-{name[2:]}"], default=None, help=help_text)
    return click.Option(
        [name], metavar=declaration.metavar, multiple=declaration.is_repeated, help=help_text
    )


def _config() -> click.Option:
    return click.Option(["--config"], metavar="FILE.toml", help="Configuration file in TOML.")


def _version() -> click.Option:
    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
        help="Show the version and exit.",
    )  # fmt: skip


def _print_version(context: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001
    if asked:
        click.echo(f"{context.command_path} {__version__}")
        context.exit()


def _failed(sentence: str, status: int) -> int:
    click.echo(f"Error: {' '.join(sentence.split())}", err=True)
    return status


def _usage_message(error: click.ClickException, program: str) -> str:
    """Return one line about invalid usage that names the help of the command."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = program if context is None else context.command_path
    return f"{error.format_message().removesuffix('.')}; see {command} --help"
