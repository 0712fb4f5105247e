"""What the command has to say, whatever the form."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from client_reference.command.inputs import Prompt
from client_reference.task import Generation, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How the prompts of a batch have ended."""

    succeeded: int
    failed: int
    other_errors: int


class Output(Protocol):
    """Takes what happens, from any thread. `prompt` is given for one prompt of many."""

    def following(self, prompts: int | None = None) -> AbstractContextManager[None]:
        """Show progress meanwhile: of one task, or of so many prompts."""

    def submitted(self, task: Task) -> None:
        """Tell of a task that has just been accepted."""

    def changed(self, task: Task) -> None:
        """Tell that a task has another state than before."""

    def retrying(self, error: Exception) -> None:
        """Tell that a request is sent again after this error."""

    def status(self, task: Task) -> None:
        """Give what was asked for: how a task is doing."""

    def waited(self, generation: Generation) -> None:
        """Give what was waited for: a task that has ended in success."""

    def succeeded(self, generation: Generation, prompt: Prompt | None = None) -> None:
        """Give the addresses of a generation."""

    def downloaded(
        self, generation: Generation, files: Sequence[Path], prompt: Prompt | None = None
    ) -> None:
        """Give the files of a generation."""

    def balance(self, dollars: Decimal) -> None:
        """Give the balance."""

    def error(
        self, error: Exception, task_ids: Sequence[str] = (), prompt: Prompt | None = None
    ) -> None:
        """Tell what went wrong, and which tasks can be gone on with."""

    def summary(self, summary: Summary) -> None:
        """Tell how a batch has ended."""

    def interrupted(self, task_ids: Sequence[str], unanswered: int) -> None:
        """Tell what is left behind: tasks, and submits that may have been accepted."""
