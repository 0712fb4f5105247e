"""Output for programs: a JSON object a line on standard output, errors on standard error too."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from threading import Lock

import click

from client_reference.command.exits import exit_of
from client_reference.command.inputs import Prompt
from client_reference.command.output import Summary
from client_reference.command.standard_error import complain_of, complain_of_interrupt
from client_reference.errors import ApixoError, TaskFailed
from client_reference.task import Generation, Task


class JsonLines:
    """An Output. Each line has a member `event`; what does not apply is left out."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = Lock()

    @contextmanager
    def following(self, prompts: int | None = None) -> Iterator[None]:
        yield

    def submitted(self, task: Task) -> None:
        self._say("submitted", **_facts(task))

    def changed(self, task: Task) -> None:
        if not task.is_final:  # an end has an event of its own
            self._say("status", **_facts(task))

    def retrying(self, error: Exception) -> None:
        self._say("retry", error=type(error).__name__, message=str(error))

    def status(self, task: Task) -> None:
        self._say("status", **_facts(task))

    def waited(self, generation: Generation) -> None:
        self.succeeded(generation)

    def succeeded(self, generation: Generation, prompt: Prompt | None = None) -> None:
        self._say("success", **_facts(generation.task), **_place(prompt))

    def downloaded(
        self, generation: Generation, files: Sequence[Path], prompt: Prompt | None = None
    ) -> None:
        paths = [str(file) for file in files]
        self._say("downloaded", task_id=generation.task.id, files=paths, **_place(prompt))

    def balance(self, dollars: Decimal) -> None:
        self._say("balance", balance=f"{dollars:f}")  # a string: no reader rounds it

    def error(
        self, error: Exception, task_ids: Sequence[str] = (), prompt: Prompt | None = None
    ) -> None:
        complain_of(error, task_ids, prompt, self._directory)
        if isinstance(error, TaskFailed):
            self._say("failed", **_facts(error.task), **_place(prompt))
        else:
            self._say(
                "error",
                error=type(error).__name__,
                message=str(error),
                exit_status=int(exit_of(error)),
                **_task_of(error, task_ids),
                **_place(prompt),
            )

    def summary(self, summary: Summary) -> None:
        self._say("summary", **asdict(summary))

    def interrupted(self, task_ids: Sequence[str], unanswered: int) -> None:
        complain_of_interrupt(task_ids, unanswered, self._directory)
        self._say("interrupted", task_ids=list(task_ids), may_have_been_accepted=unanswered)

    def _say(self, event: str, **members: object) -> None:
        line = json.dumps({"event": event, **members})
        with self._lock:
            click.echo(line)  # flushes


def _facts(task: Task) -> dict[str, object]:
    facts = {
        "task_id": task.id,
        "state": task.state,
        "urls": list(task.result_urls) or None,
        "fail_code": task.fail_code,
        "fail_msg": task.fail_msg,
        "create_time_ms": task.create_time_ms,
        "complete_time_ms": task.complete_time_ms,
        "cost_time_ms": task.cost_time_ms,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _place(prompt: Prompt | None) -> dict[str, object]:
    if prompt is None:
        return {}
    return {"index": prompt.index, "line": prompt.line, "prompt": prompt.text}


def _task_of(error: Exception, task_ids: Sequence[str]) -> dict[str, object]:
    if len(task_ids) > 1:
        return {"task_ids": list(task_ids)}
    task = error.task if isinstance(error, ApixoError) else None
    known = task_ids or ([] if task is None else [task.id])
    return {"task_id": known[0]} if known else {}
