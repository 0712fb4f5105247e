"""The interface of outputs: events, results and exit statuses."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from client_reference.errors import ApiTimeout, SubmissionUncertain, TaskFailed, WaitTimeout
from client_reference.task import Generation, Task


class Exit(IntEnum):
    """The exit statuses of the command."""

    SUCCESS = 0
    FAILED = 1
    USAGE = 2
    REJECTED = 3
    TIMEOUT = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141  # The status of a process that was ended by SIGPIPE.


def exit_of(error: Exception) -> Exit:
    """Return the exit status for an error."""
    if isinstance(error, TaskFailed):
        return Exit.FAILED
    if isinstance(error, ValueError):
        return Exit.USAGE
    cause = error.__cause__ if isinstance(error, SubmissionUncertain) else error
    return Exit.TIMEOUT if isinstance(cause, WaitTimeout | ApiTimeout) else Exit.REJECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt of a batch: its index, from 0, and its line in the file, from 1."""

    index: int
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The number of prompts of a batch by result."""

    succeeded: int
    failed: int
    other_errors: int


class Output(Protocol):
    """Prints events and results, from any thread.  In a batch `prompt` is the prompt concerned."""

    def progress(self, prompts: int | None = None) -> AbstractContextManager[None]:
        """Show progress inside the block, of one task or of a batch with this many prompts."""

    def submitted(self, task: Task) -> None:
        """Report a task that was just accepted."""

    def changed(self, task: Task) -> None:
        """Report a task whose state has changed."""

    def retrying(self, error: Exception) -> None:
        """Report that a request is retried after this error."""

    def status(self, task: Task) -> None:
        """Print the result of `status`."""

    def waited(self, generation: Generation) -> None:
        """Print the result of `wait`."""

    def succeeded(self, generation: Generation, prompt: Prompt | None = None) -> None:
        """Print the URLs of a generation."""

    def downloaded(
        self, generation: Generation, files: Sequence[Path], prompt: Prompt | None = None
    ) -> None:
        """Print the files of a generation."""

    def balance(self, dollars: Decimal) -> None:
        """Print the result of `balance`."""

    def error(
        self, error: Exception, task_ids: Sequence[str] = (), prompt: Prompt | None = None
    ) -> None:
        """Report an error, and the tasks that can be continued."""

    def summary(self, summary: Summary) -> None:
        """Report the end of a batch."""

    def interrupted(self, task_ids: Sequence[str], unanswered: int) -> None:
        """Report the tasks in progress and the number of submits without a response."""
