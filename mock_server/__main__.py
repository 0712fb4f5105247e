"""The command `mock-server`: reads its switches, then serves."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from mock_server.options import ENV_PREFIX, OPTIONS, Option
from mock_server.settings import BadSetting, load_settings, unknown_variables
from mock_server.version import __version__

_EPILOG = (
    f"Each switch is also an environment variable ({ENV_PREFIX}PORT …) and a key of the TOML file"
    " (port …). The command line goes over the environment, the environment over the file."
)


def main() -> None:
    """Exit with 2 on a wrong setting, with 1 when the address cannot be used."""
    for number in (signal.SIGINT, signal.SIGTERM):  # until the server takes them over
        signal.signal(number, _stop)
    command = click.Command(
        "mock-server",
        params=[_config(), *(_parameter(option) for option in OPTIONS), _version()],
        callback=_run,
        help="Simulate the APIXO gpt-image-1 endpoints.",
        epilog=_EPILOG,
    )
    try:
        sys.exit(command.main(prog_name="mock-server", standalone_mode=False))
    except click.ClickException as error:
        _fail(error.format_message(), 2)


def _stop(_: int, __: FrameType | None) -> NoReturn:
    sys.exit(0)


def _run(config: str | None, **given: Any) -> int:
    path = os.environ.get(f"{ENV_PREFIX}CONFIG") if config is None else config
    chosen = {name: value for name, value in given.items() if value not in {None, ()}}
    try:
        settings = load_settings(chosen, os.environ, None if path is None else Path(path))
        from mock_server import server  # noqa: PLC0415  # heavy, and --help needs none of it
    except BadSetting as error:
        _fail(str(error), 2)
    try:
        server.run(settings, unknown_variables(os.environ))
    except BadSetting as error:
        _fail(str(error), 2)
    except server.CannotListen as error:
        _fail(str(error), 1)
    return 0


def _parameter(option: Option) -> click.Option:
    if option.metavar is None:
        return click.Option(
            [f"{option.switch}/--no-{option.switch[2:]}"],
            default=None,
            help=f"{option.help}  [default: {'on' if option.default else 'off'}]",
        )
    shown = option.shown_default or str(option.default)
    return click.Option(
        [option.switch],
        metavar=option.metavar,
        multiple=option.is_repeated,
        help=f"{option.help}  [default: {shown}]",
    )


def _config() -> click.Option:
    return click.Option(["--config"], metavar="FILE.toml", help="Read settings from this file.")


def _version() -> click.Option:
    def show(context: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001
        if asked:
            click.echo(f"mock-server {__version__}")
            context.exit()

    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="Show the version and exit.",
    )  # fmt: skip


def _fail(sentence: str, status: int) -> None:
    click.echo(f"mock-server: {' '.join(sentence.split())}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
