"""Says in one line what went wrong and what to do about it."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from client_reference.command.text import shown
from client_reference.errors import (
    ApixoError,
    AuthenticationError,
    InsufficientCredits,
    NotFound,
    RateLimited,
    ResultExpired,
    ServerError,
    SubmissionUncertain,
    TaskFailed,
    TransportError,
    UnexpectedResponse,
)
from client_reference.task import Task

COMMAND = "client-reference"
_ADVICE: Mapping[type[Exception], str] = {
    AuthenticationError: "check APIXO_API_KEY",
    InsufficientCredits: "add credit to the account",
    NotFound: "check the task id, and that APIXO_API_KEY is the key which submitted it",
    ServerError: "the service is in trouble, try again later",
    SubmissionUncertain: "look at the account first",
    UnexpectedResponse: "check that APIXO_BASE_URL is the address of the service",
}
_GIVEN_AS: Mapping[str, str] = {
    "api_key": "APIXO_API_KEY",
    "aspect_ratio": "--aspect-ratio",
    "concurrency": "--concurrency",
    "image_urls": "--image-url",
    "num_images": "--num-images",
    "prompt": "PROMPT",
    "provider": "--provider",
    "task_id": "ID",
    "timeout": "--timeout",
}


def sentence_of(error: Exception) -> str:
    if isinstance(error, ValueError):
        return shown(_as_given(str(error)))
    if isinstance(error, OSError):
        return shown(_of_the_system(error))
    said = str(error)
    task = error.task if isinstance(error, ApixoError) else None
    if task is not None and task.id not in said:
        said += f" (task {task.id})"
    advice = _advice(error)
    return shown(said if advice is None else f"{said}; {advice}")


def is_worth_going_on(error: Exception) -> bool:
    """Say whether the task of the error, if it has one, can still be waited for."""
    return not isinstance(error, TaskFailed | ResultExpired | NotFound | ValueError)


def going_on(task_ids: Sequence[str], directory: Path | None) -> list[str]:
    """Return nothing, one line about one task, or a line about many and a command for each."""
    commands = [_wait(task_id, directory) for task_id in task_ids]
    if len(commands) <= 1:
        return [f"go on with: {command}" for command in commands]
    return [f"{len(commands)} tasks are not lost, go on with:", *commands]


def description_of(task: Task) -> list[str]:
    """Return what is known of a task, a line for each thing."""
    seconds = None if task.cost_time_ms is None else f"{task.cost_time_ms / 1000:.1f} s"
    failure = ": ".join(filter(None, (task.fail_code, task.fail_msg)))
    rows = [("task", task.id), ("state", task.state), ("took", seconds), ("failure", failure)]
    rows += [("result", url) for url in task.result_urls]
    return [f"{name:<8} {shown(value)}" for name, value in rows if value]


def _advice(error: Exception) -> str | None:
    if isinstance(error, RateLimited):
        wait_s = error.retry_after
        return "try again later" if wait_s is None else f"try again in {wait_s:g} s"
    for kind, advice in _ADVICE.items():
        if isinstance(error, kind):
            return advice
    if isinstance(error, TransportError):
        return "check APIXO_BASE_URL and the network, then try again"
    return None


def _as_given(message: str) -> str:
    """Name a value as the user of the command gives it, not as the library calls it."""
    field, colon, problem = message.partition(":")
    name, bracket, number = field.partition("[")
    said = f"{_GIVEN_AS.get(name, name)}{bracket}{number}{colon}{problem}"
    return f"{said}; put your API key into this variable" if name == "api_key" else said


def _of_the_system(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _wait(task_id: str, directory: Path | None) -> str:
    words = [COMMAND, "wait"]
    if directory is not None:
        words += ["-o", str(directory)]
    if task_id.startswith("-"):
        words.append("--")
    return shown(shlex.join([*words, task_id]))
