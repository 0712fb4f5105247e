"""The messages on standard error: the problem, what to do, and how to continue."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import click

from client_reference.api_key import ENV_API_KEY, MISSING
from client_reference.errors import (
    ApixoError,
    AuthenticationError,
    InsufficientCredits,
    NotFound,
    PermissionDenied,
    RateLimited,
    ResultExpired,
    ServerError,
    SubmissionUncertain,
    TaskFailed,
    TlsError,
    TransportError,
    UnexpectedResponse,
)

COMMAND = "client-reference"
_ADVICE: Mapping[type[Exception], str] = {
    AuthenticationError: "check APIXO_API_KEY",
    PermissionDenied: (
        "check the permissions and the allowed IP addresses of APIXO_API_KEY, or change the prompt"
    ),
    InsufficientCredits: "add credit to the account",
    NotFound: (
        "check APIXO_BASE_URL and the task id, and that APIXO_API_KEY is the key of the task"
    ),
    ServerError: "try again later",
    SubmissionUncertain: "check the account before you submit again",
    UnexpectedResponse: "check that APIXO_BASE_URL is the address of the service",
    # Last, because SubmissionUncertain is one too.
    TransportError: "check APIXO_BASE_URL (http or https) and the network, then try again",
}
_ARGUMENTS: Mapping[str, str] = {
    "api_key": ENV_API_KEY,
    "aspect_ratio": "--aspect-ratio",
    "concurrency": "--concurrency",
    "image_urls": "--image-url",
    "num_images": "--num-images",
    "poll_after_s": "--poll-after",
    "poll_every_s": "--poll-every",
    "prompt": "PROMPT",
    "provider": "--provider",
    "task_id": "ID",
    "timeout": "--timeout",
}


class Caller:
    """How the user called the command; messages name it."""

    program = COMMAND


def escape(text: str) -> str:
    """Return the text with all control and invisible characters escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def print_error(message: str) -> None:
    """Print one line to standard error."""
    _print(f"Error: {message}")


def usage_message(error: click.ClickException) -> str:
    """Return one line about invalid usage that names the help of the command."""
    message = " ".join(error.format_message().split()).removesuffix(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = Caller.program if context is None else context.command_path
    return f"{message}; see {command} --help"


def report_error(
    error: Exception, task_ids: Sequence[str], line: int | None, directory: Path | None
) -> None:
    """Print an error, the line of its prompt, and how to continue with these tasks."""
    place = "" if line is None else f"line {line}: "
    _print_with_commands(f"Error: {place}{message_of(error)}", task_ids, directory)


def report_interrupt(task_ids: Sequence[str], unanswered: int, directory: Path | None) -> None:
    """Print that the command was interrupted, and which tasks continue at the service."""
    _print_with_commands("Interrupted", task_ids, directory)
    if unanswered:
        submits = "A submit is" if unanswered == 1 else f"Up to {unanswered} submits are"
        _print(
            f"{submits} unanswered and may have been accepted;"
            " check the account before you submit again"
        )


def print_note(text: str) -> None:
    """Print progress on standard error. An error of writing must not end a task that is paid."""
    with suppress(OSError):
        click.echo(text, err=True)


def message_of(error: Exception) -> str:
    """Return one line: the error, its task, and what to do."""
    if isinstance(error, ValueError):
        return escape(_as_argument(str(error)))
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return escape(f"{error.filename or 'cannot write the output'}: {reason}")
    message = str(error)
    task = error.task if isinstance(error, ApixoError) else None
    if task is not None and task.id not in message:
        message += f" (task {task.id})"
    advice = _advice(error)
    return escape(message if advice is None else f"{message}; {advice}")


def retry_notice(error: Exception) -> str:
    """Return one line about an error after which the request is retried."""
    upcoming = error.next_attempt if isinstance(error, ApixoError) else None
    if upcoming is None:
        return escape(f"{error}; retrying")
    return escape(
        f"{error}; retrying in {upcoming.pause_s:.2g} s ({upcoming.number} of {upcoming.of})"
    )


def can_continue(error: Exception) -> bool:
    """Return whether the task of the error, if it has one, can still be waited for."""
    return not isinstance(error, TaskFailed | ResultExpired | NotFound | ValueError)


def _print_with_commands(message: str, task_ids: Sequence[str], directory: Path | None) -> None:
    """Print one command on the same line, or several below it."""
    commands = [_wait_command(task_id, directory) for task_id in task_ids]
    if not commands:
        _print(message)
    elif len(commands) == 1:
        _print(f"{message}; continue with: {commands[0]}")
    else:
        _print(f"{message}; {len(commands)} tasks are in progress, continue with:")
        _print("\n".join(commands))


def _print(text: str) -> None:
    click.echo(text, err=True)


def _wait_command(task_id: str, directory: Path | None) -> str:
    words = [Caller.program, "wait"]
    if directory is not None:
        words += ["-o", str(directory)]
    if task_id.startswith("-"):
        words.append("--")
    return escape(shlex.join([*words, task_id]))


def _as_argument(message: str) -> str:
    """Return the message with the name of the switch instead of the library's argument."""
    if message == MISSING:
        return f"{ENV_API_KEY} is not set; set it to your API key"
    field, colon, problem = message.partition(":")
    name, bracket, number = field.partition("[")
    return f"{_ARGUMENTS.get(name, name)}{bracket}{number}{colon}{problem}"


def _advice(error: Exception) -> str | None:
    if isinstance(error, RateLimited):
        wait_s = error.retry_after
        return "try again later" if wait_s is None else f"try again in {wait_s:g} s"
    if isinstance(error, TlsError):
        return None  # The message itself says what to do.
    return next((advice for kind, advice in _ADVICE.items() if isinstance(error, kind)), None)
