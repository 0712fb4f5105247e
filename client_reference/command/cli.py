"""The commands and their options; each becomes a Job, nothing is done yet."""

import functools
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

import click

from client_reference.command import actions
from client_reference.command.actions import Wishes
from client_reference.command.inputs import check_directory, prompts_of
from client_reference.command.sentences import COMMAND
from client_reference.command.session import Job

_Callback: TypeAlias = Callable[..., Job]
_Decorator: TypeAlias = Callable[[_Callback], _Callback]

_EPILOG = """\b
The API key comes from APIXO_API_KEY, the address of the service from APIXO_BASE_URL.
Results go to standard output, progress and errors to standard error.
\b
Exit status:
  0    success
  1    the task failed (its fail code is on standard error)
  2    wrong usage, or no API key
  3    refused by the service, not reachable, or a file cannot be written
  4    timeout
  130  interrupted; what is under way is listed
"""
_SETTINGS: Mapping[str, object] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "show_default": True,
}


def command() -> click.Group:
    """Return the command; called with `standalone_mode=False` it returns a Job."""
    group = click.Group(
        COMMAND,
        help="Generate images with the APIXO gpt-image-1 endpoints.",
        epilog=_EPILOG,
        context_settings=dict(_SETTINGS),
        no_args_is_help=False,
        params=[_version()],
    )
    for each in (_generate, _status, _wait, _balance, _batch):
        group.add_command(each)
    return group


def _together(*decorators: _Decorator) -> _Decorator:
    return lambda callback: functools.reduce(
        lambda made, decorate: decorate(made), reversed(decorators), callback
    )


def _directory(_: click.Context, __: click.Parameter, given: str | None) -> Path | None:
    if given is None:
        return None
    check_directory(Path(given))
    return Path(given)


_form = _together(
    click.option("--json", "is_json", is_flag=True, help="Write a JSON object a line."),
    click.option("-v", "--debug", "is_debug", is_flag=True, help="Log every request."),
)
_waiting = _together(
    click.option(
        "-o", "--output", "directory", metavar="DIR", callback=_directory,
        help="Download the results into this directory.",
    ),
    click.option(
        "--timeout", metavar="SECONDS", type=float, default=300.0, help="How long a task may take."
    ),
)  # fmt: skip
_wishes = _together(
    click.option("--aspect-ratio", metavar="RATIO", default="1:1", help="1:1, 3:2 or 2:3."),
    click.option("--num-images", metavar="N", type=int, default=1, help="1, 2 or 4."),
    click.option(
        "--image-url", "image_urls", metavar="URL", multiple=True,
        help="A reference image; can be repeated.",
    ),
    click.option(
        "--provider", metavar="NAME", default="auto", help="Routing: auto, value or official."
    ),
    _waiting,
)  # fmt: skip


@click.command("generate", help="Generate images for PROMPT and print their addresses.")
@click.argument("prompt")
@_wishes
@_form
def _generate(prompt: str, *, is_json: bool, is_debug: bool, **options: Any) -> Job:
    wishes = Wishes(**options)
    return Job(
        work=lambda desk: actions.generate(desk, prompt, wishes),
        directory=wishes.directory,
        is_json=is_json,
        is_debug=is_debug,
    )


@click.command("status", help="Print how the task ID is doing.")
@click.argument("task_id", metavar="ID")
@_form
def _status(task_id: str, *, is_json: bool, is_debug: bool) -> Job:
    return Job(work=lambda desk: actions.status(desk, task_id), is_json=is_json, is_debug=is_debug)


@click.command("wait", help="Wait until the task ID has ended.")
@click.argument("task_id", metavar="ID")
@_waiting
@_form
def _wait(
    task_id: str, *, timeout: float, directory: Path | None, is_json: bool, is_debug: bool
) -> Job:
    return Job(
        work=lambda desk: actions.wait(desk, task_id, timeout, directory),
        directory=directory,
        is_json=is_json,
        is_debug=is_debug,
    )


@click.command("balance", help="Print the dollars left for the API key.")
@_form
def _balance(*, is_json: bool, is_debug: bool) -> Job:
    return Job(work=actions.balance, is_json=is_json, is_debug=is_debug)


@click.command("batch", help="Generate images for each line of FILE (- for standard input).")
@click.argument("file")
@click.option("--concurrency", metavar="N", type=int, default=50, help="Tasks at once.")
@_wishes
@_form
def _batch(file: str, *, concurrency: int, is_json: bool, is_debug: bool, **options: Any) -> Job:
    wishes = Wishes(**options)
    return Job(
        work=lambda desk: actions.batch(desk, prompts_of(file), wishes, concurrency),
        directory=wishes.directory,
        is_json=is_json,
        is_debug=is_debug,
    )


def _version() -> click.Option:
    def show(context: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001
        if asked:
            click.echo(f"{COMMAND} {_installed_version()}")
            context.exit()

    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="Show the version and exit.",
    )  # fmt: skip


def _installed_version() -> str:
    try:
        return version("apixo-testkit")
    except PackageNotFoundError:  # copied into another project
        return "(not installed)"
