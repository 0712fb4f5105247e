"""Progress on standard error; this is the quiet one, for what is no terminal."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import click

from client_reference.command.text import shown
from client_reference.task import Task


class Progress(Protocol):
    def submitted(self, task: Task) -> None:
        """Show that a task was accepted."""

    def changed(self, task: Task) -> None:
        """Show the new state of a task."""

    def ended(self, *, is_success: bool) -> None:
        """Count one that has come to its end."""

    def aside(self) -> AbstractContextManager[None]:
        """Make room for something else to be written."""


class PlainProgress:
    """A line when a task is submitted, one when its state changes; of many, only the first."""

    def __init__(self, *, is_batch: bool) -> None:
        self._is_batch = is_batch

    def submitted(self, task: Task) -> None:
        click.echo(f"submitted {shown(task.id)}", err=True)

    def changed(self, task: Task) -> None:
        if not self._is_batch and task.state != "failed":  # the error tells of a failure
            click.echo(f"{shown(task.id)}: {shown(task.state)}", err=True)

    def ended(self, *, is_success: bool) -> None:
        """Count nothing: a log has no place for counts that change."""

    def aside(self) -> AbstractContextManager[None]:
        return nullcontext()
