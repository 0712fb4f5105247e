"""The commands and their arguments. Each call returns a Job and sends no request yet."""

import functools
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeAlias, Unpack

import click

from client_reference.command import actions
from client_reference.command.actions import GenerateOptions
from client_reference.command.execution import Job
from client_reference.command.messages import COMMAND, escape
from client_reference.command.output import Prompt
from client_reference.keywords import ImageKeywords

_Callback: TypeAlias = Callable[..., Job]
_Decorator: TypeAlias = Callable[[_Callback], _Callback]

_EPILOG = """\b
APIXO_API_KEY is the API key, APIXO_BASE_URL the address of the service.
Results go to standard output, progress and errors to standard error.
The first status request is sent 20 s after a submit, as the service advises.
With a mock, set --poll-after and --poll-every to less.
\b
Exit status:
  0    success
  1    the task failed; standard error shows its fail code
  2    invalid usage, or no API key
  3    rejected by the service, service unreachable, or file or output not writable
  4    timeout
  130  interrupted; standard error lists the tasks in progress
"""
_CONTEXT: Mapping[str, object] = {
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
        context_settings=dict(_CONTEXT),
        no_args_is_help=False,
        params=[_version_option()],
    )
    for each in (_generate, _status, _wait, _balance, _batch):
        group.add_command(each)
    return group


def read_prompts(name: str) -> list[Prompt]:
    """Return the prompts of a file, one per line, without blank lines; `-` is standard input."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        lines = content.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise click.UsageError(f"{escape(name)}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{escape(name)}: is not UTF-8 at byte {error.start}") from error
    numbered = [(line, text.strip()) for line, text in enumerate(lines, 1) if text.strip()]
    if not numbered:
        raise click.UsageError(f"{escape(name)}: contains no prompt")
    return [
        Prompt(index=index, line=line, text=text) for index, (line, text) in enumerate(numbered)
    ]


def _check_directory(_: click.Context, __: click.Parameter, given: str | None) -> Path | None:
    """Reject a directory that cannot take files; do not create it before a submit is accepted."""
    if given is None:
        return None
    directory = Path(given)
    nearest = next(
        (path for path in (directory, *directory.parents) if os.path.lexists(path)), directory
    )
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise click.UsageError(
            f"-o {escape(given)}: cannot write to {escape(str(nearest))}: {error.strerror}"
        ) from error
    return directory


def _combine(*decorators: _Decorator) -> _Decorator:
    return lambda callback: functools.reduce(
        lambda decorated, decorate: decorate(decorated), reversed(decorators), callback
    )


_format_options = _combine(
    click.option("--json", "is_json", is_flag=True, help="Print one JSON object per line."),
    click.option("-v", "--debug", "is_debug", is_flag=True, help="Log each request."),
)
_poll_after_option = click.option(
    "--poll-after", "poll_after_s", metavar="SECONDS", type=float,
    help="Seconds from a submit to its first status request.  [default: 20]",
)  # fmt: skip
_wait_options = _combine(
    click.option(
        "--poll-every", "poll_every_s", metavar="SECONDS", type=float,
        help="Seconds between two status requests.  [default: 3, more after 30 s]",
    ),
    click.option(
        "-o", "--output", "directory", metavar="DIR", callback=_check_directory,
        help="Directory to download the results to; created if missing.",
    ),
    click.option(
        "--timeout", "timeout_s", metavar="SECONDS", type=float, default=300.0,
        show_default=False, help="Time limit per task, in seconds.  [default: 300]",
    ),
)  # fmt: skip
_generate_options = _combine(
    click.option(
        "--aspect-ratio", metavar="RATIO", default="1:1", help="Aspect ratio: 1:1, 3:2 or 2:3."
    ),
    click.option(
        "--num-images", metavar="N", type=int, default=1, help="Images per prompt: 1, 2 or 4."
    ),
    click.option(
        "--image-url", "image_urls", metavar="URL", multiple=True,
        help="Reference image; can be repeated up to 5 times.",
    ),
    click.option(
        "--provider", metavar="NAME", default="auto", help="Routing: auto, value or official."
    ),
    _poll_after_option,
    _wait_options,
)  # fmt: skip


@click.command("generate", help="Generate images for PROMPT and print their URLs.")
@click.argument("prompt")
@_generate_options
@_format_options
def _generate(
    prompt: str,
    *,
    timeout_s: float,
    poll_after_s: float | None,
    poll_every_s: float | None,
    directory: Path | None,
    is_json: bool,
    is_debug: bool,
    **images: Unpack[ImageKeywords],
) -> Job:
    options = GenerateOptions(images=images, timeout_s=timeout_s, directory=directory)
    return Job(
        action=lambda session: actions.generate(session, prompt, options),
        client={"poll_after_s": poll_after_s, "poll_every_s": poll_every_s},
        directory=directory,
        is_json=is_json,
        is_debug=is_debug,
    )


@click.command("status", help="Print the current state of the task ID.")
@click.argument("task_id", metavar="ID")
@_format_options
def _status(task_id: str, *, is_json: bool, is_debug: bool) -> Job:
    return Job(
        action=lambda session: actions.status(session, task_id), is_json=is_json, is_debug=is_debug
    )


@click.command("wait", help="Wait until the task ID has ended and print its results.")
@click.argument("task_id", metavar="ID")
@_wait_options
@_format_options
def _wait(
    task_id: str,
    *,
    timeout_s: float,
    poll_every_s: float | None,
    directory: Path | None,
    is_json: bool,
    is_debug: bool,
) -> Job:
    return Job(
        action=lambda session: actions.wait(session, task_id, timeout_s, directory),
        client={"poll_every_s": poll_every_s},
        directory=directory,
        is_json=is_json,
        is_debug=is_debug,
    )


@click.command("balance", help="Print the balance of the API key in US dollars.")
@_format_options
def _balance(*, is_json: bool, is_debug: bool) -> Job:
    return Job(action=actions.balance, is_json=is_json, is_debug=is_debug)


@click.command(
    "batch",
    help="Generate images for each line of FILE and print their URLs; - reads standard input.",
    short_help="Generate images for each line of FILE; - reads standard input.",
)
@click.argument("file")
@click.option(
    "--concurrency", metavar="N", type=int, default=50, help="Maximum tasks in progress, 1 to 1000."
)
@_generate_options
@_format_options
def _batch(
    file: str,
    *,
    concurrency: int,
    timeout_s: float,
    poll_after_s: float | None,
    poll_every_s: float | None,
    directory: Path | None,
    is_json: bool,
    is_debug: bool,
    **images: Unpack[ImageKeywords],
) -> Job:
    options = GenerateOptions(images=images, timeout_s=timeout_s, directory=directory)
    return Job(
        action=lambda session: actions.batch(session, read_prompts(file), options, concurrency),
        client={"poll_after_s": poll_after_s, "poll_every_s": poll_every_s},
        directory=directory,
        is_json=is_json,
        is_debug=is_debug,
    )


def _version_option() -> click.Option:
    def show(context: click.Context, _: click.Parameter, is_given: bool) -> None:  # noqa: FBT001
        if is_given:
            click.echo(f"{COMMAND} {_installed_version()}")
            context.exit()

    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="Show the version and exit.",
    )  # fmt: skip


def _installed_version() -> str:
    try:
        return version("apixo-testkit")
    except PackageNotFoundError:  # The folder was copied into another project.
        return "(not installed)"
