"""Output for people: results on standard output, progress and errors on standard error."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import RLock

import click

from client_reference.command.inputs import Prompt
from client_reference.command.output import Summary
from client_reference.command.progress import PlainProgress, Progress
from client_reference.command.sentences import description_of
from client_reference.command.standard_error import complain_of, complain_of_interrupt
from client_reference.command.text import shown
from client_reference.task import Generation, Task


class Lines:
    """An Output. With a directory the files are the results, without one the addresses."""

    def __init__(self, directory: Path | None, *, is_live: bool) -> None:
        self._directory = directory
        self._is_live = is_live
        self._progress: Progress = PlainProgress(is_batch=False)
        self._lock = RLock()

    @contextmanager
    def following(self, prompts: int | None = None) -> Iterator[None]:
        if not self._is_live:
            self._progress = PlainProgress(is_batch=prompts is not None)
            yield
            return
        from client_reference.command import live_line  # noqa: PLC0415  # rich, for terminals only

        with live_line.shown_line(prompts) as self._progress:
            yield

    def submitted(self, task: Task) -> None:
        with self._lock:
            self._progress.submitted(task)

    def changed(self, task: Task) -> None:
        with self._lock:
            self._progress.changed(task)

    def retrying(self, error: Exception) -> None:
        with self._lock, self._progress.aside():
            click.echo(f"{shown(str(error))}; trying again", err=True)

    def status(self, task: Task) -> None:
        self._results(description_of(task))

    def waited(self, generation: Generation) -> None:
        if self._directory is None:
            self._results(description_of(generation.task))

    def succeeded(self, generation: Generation, prompt: Prompt | None = None) -> None:
        if self._directory is None:
            self._ended([_placed(shown(url), prompt) for url in generation.urls])

    def downloaded(
        self, generation: Generation, files: Sequence[Path], prompt: Prompt | None = None
    ) -> None:
        self._ended([_placed(str(file), prompt) for file in files])

    def balance(self, dollars: Decimal) -> None:
        self._results([f"{dollars:f}"])

    def error(
        self, error: Exception, task_ids: Sequence[str] = (), prompt: Prompt | None = None
    ) -> None:
        with self._lock:
            self._progress.ended(is_success=False)
            with self._progress.aside():
                complain_of(error, task_ids, prompt, self._directory)

    def summary(self, summary: Summary) -> None:
        total = summary.succeeded + summary.failed + summary.other_errors
        click.echo(
            f"{summary.succeeded} of {total} prompts succeeded, {summary.failed} failed,"
            f" {summary.other_errors} ended in another error",
            err=True,
        )

    def interrupted(self, task_ids: Sequence[str], unanswered: int) -> None:
        complain_of_interrupt(task_ids, unanswered, self._directory)

    def _ended(self, results: Sequence[str]) -> None:
        with self._lock:
            self._progress.ended(is_success=True)
            self._results(results)

    def _results(self, lines: Sequence[str]) -> None:
        with self._lock, self._progress.aside():
            click.echo("\n".join(lines))  # flushes


def _placed(result: str, prompt: Prompt | None) -> str:
    return result if prompt is None else f"{prompt.line}\t{result}"
