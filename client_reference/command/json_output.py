"""JSON output: one object per line on standard output, and errors also as text."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from threading import Lock

import click

from client_reference.command.messages import report_error, report_interrupt
from client_reference.command.output import Prompt, Summary, exit_of
from client_reference.errors import ApixoError, TaskFailed
from client_reference.task import Generation, Task


class JsonOutput:
    """An Output.  Each object has the member `event`; members that do not apply are left out."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = Lock()

    @contextmanager
    def progress(self, prompts: int | None = None) -> Iterator[None]:
        yield

    def submitted(self, task: Task) -> None:
        self._print("submitted", **_task_members(task))

    def changed(self, task: Task) -> None:
        if not task.is_final:  # The end of a task has its own event.
            self._print("status", **_task_members(task))

    def retrying(self, error: Exception) -> None:
        upcoming = error.next_attempt if isinstance(error, ApixoError) else None
        members = {} if upcoming is None else asdict(upcoming)
        self._print("retry", error=type(error).__name__, message=str(error), **members)

    def status(self, task: Task) -> None:
        self._print("status", **_task_members(task))

    def waited(self, generation: Generation) -> None:
        self.succeeded(generation)

    def succeeded(self, generation: Generation, prompt: Prompt | None = None) -> None:
        self._print("success", **_task_members(generation.task), **_prompt_members(prompt))

    def downloaded(
        self, generation: Generation, files: Sequence[Path], prompt: Prompt | None = None
    ) -> None:
        paths = [str(file) for file in files]
        self._print(
            "downloaded", task_id=generation.task.id, files=paths, **_prompt_members(prompt)
        )

    def balance(self, dollars: Decimal) -> None:
        # Most JSON readers would round a number.
        self._print("balance", balance=f"{dollars:f}")

    def error(
        self, error: Exception, task_ids: Sequence[str] = (), prompt: Prompt | None = None
    ) -> None:
        report_error(error, task_ids, None if prompt is None else prompt.line, self._directory)
        if isinstance(error, TaskFailed):
            self._print("failed", **_failed_members(error), **_prompt_members(prompt))
        else:
            self._print(
                "error",
                error=type(error).__name__,
                message=str(error),
                exit_status=int(exit_of(error)),
                **_error_task_members(error, task_ids),
                **_prompt_members(prompt),
            )

    def summary(self, summary: Summary) -> None:
        self._print("summary", **asdict(summary))

    def interrupted(self, task_ids: Sequence[str], unanswered: int) -> None:
        report_interrupt(task_ids, unanswered, self._directory)
        self._print("interrupted", task_ids=list(task_ids), may_have_been_accepted=unanswered)

    def _print(self, event: str, **members: object) -> None:
        line = json.dumps({"event": event, **members})
        with self._lock:
            click.echo(line)  # This also flushes.


def _task_members(task: Task) -> dict[str, object]:
    members = {
        "task_id": task.id,
        "state": task.state,
        "urls": list(task.result_urls) or None,
        "fail_code": task.fail_code,
        "fail_msg": task.fail_msg,
        "create_time_ms": task.create_time_ms,
        "complete_time_ms": task.complete_time_ms,
        "cost_time_ms": task.cost_time_ms,
    }
    return {name: value for name, value in members.items() if value is not None}


def _failed_members(error: TaskFailed) -> dict[str, object]:
    if error.task is not None:
        return _task_members(error.task)
    members = {"fail_code": error.fail_code, "fail_msg": error.fail_msg}
    return {name: value for name, value in members.items() if value is not None}


def _prompt_members(prompt: Prompt | None) -> dict[str, object]:
    if prompt is None:
        return {}
    return {"index": prompt.index, "line": prompt.line, "prompt": prompt.text}


def _error_task_members(error: Exception, task_ids: Sequence[str]) -> dict[str, object]:
    if len(task_ids) > 1:
        return {"task_ids": list(task_ids)}
    task = error.task if isinstance(error, ApixoError) else None
    known = task_ids or ([] if task is None else [task.id])
    return {"task_id": known[0]} if known else {}
