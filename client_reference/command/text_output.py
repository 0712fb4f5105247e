"""Text output: results on standard output, progress and errors on standard error."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import RLock

import click

from client_reference.command.messages import (
    escape,
    print_note,
    report_error,
    report_interrupt,
    retry_notice,
)
from client_reference.command.output import Prompt, Summary
from client_reference.command.progress import LineProgress, Progress, live_progress
from client_reference.task import Generation, Task


class TextOutput:
    """An Output.  With a directory the results are the files, without one the URLs."""

    def __init__(self, directory: Path | None, *, is_live: bool) -> None:
        self._directory = directory
        self._is_live = is_live
        self._progress: Progress = LineProgress(is_batch=False)
        self._lock = RLock()

    @contextmanager
    def progress(self, prompts: int | None = None) -> Iterator[None]:
        if self._is_live:
            with live_progress(prompts) as self._progress:
                yield
        else:
            self._progress = LineProgress(is_batch=prompts is not None)
            yield

    def submitted(self, task: Task) -> None:
        with self._lock:
            self._progress.submitted(task)

    def changed(self, task: Task) -> None:
        with self._lock:
            self._progress.changed(task)

    def retrying(self, error: Exception) -> None:
        with self._lock, self._progress.paused():
            print_note(retry_notice(error))

    def status(self, task: Task) -> None:
        self._print(_describe(task))

    def waited(self, generation: Generation) -> None:
        if self._directory is None:
            self._print(_describe(generation.task))

    def succeeded(self, generation: Generation, prompt: Prompt | None = None) -> None:
        if self._directory is None:
            self._print_results([escape(url) for url in generation.urls], prompt)

    def downloaded(
        self, generation: Generation, files: Sequence[Path], prompt: Prompt | None = None
    ) -> None:
        self._print_results([str(file) for file in files], prompt)

    def balance(self, dollars: Decimal) -> None:
        self._print([f"{dollars:f}"])

    def error(
        self, error: Exception, task_ids: Sequence[str] = (), prompt: Prompt | None = None
    ) -> None:
        line = None if prompt is None else prompt.line
        with self._lock:
            self._progress.ended(is_success=False)
            with self._progress.paused():
                report_error(error, task_ids, line, self._directory)

    def summary(self, summary: Summary) -> None:
        total = summary.succeeded + summary.failed + summary.other_errors
        print_note(
            f"{summary.succeeded} of {total} prompts succeeded, {summary.failed} failed,"
            f" {summary.other_errors} ended in another error"
        )

    def interrupted(self, task_ids: Sequence[str], unanswered: int) -> None:
        report_interrupt(task_ids, unanswered, self._directory)

    def _print_results(self, results: Sequence[str], prompt: Prompt | None) -> None:
        """Print the results of a prompt; in a batch each follows the line of its prompt."""
        place = "" if prompt is None else f"{prompt.line}\t"
        with self._lock:
            self._progress.ended(is_success=True)
            self._print([place + result for result in results])

    def _print(self, lines: Sequence[str]) -> None:
        with self._lock, self._progress.paused():
            click.echo("\n".join(lines))  # This also flushes.


def _describe(task: Task) -> list[str]:
    """Return one line for each known property of a task."""
    took = None if task.cost_time_ms is None else f"{task.cost_time_ms / 1000:.1f} s"
    failure = ": ".join(filter(None, (task.fail_code, task.fail_msg)))
    rows = [("task", task.id), ("state", task.state), ("took", took), ("failure", failure)]
    rows += [("result", url) for url in task.result_urls]
    return [f"{name:<8} {escape(value)}" for name, value in rows if value]
