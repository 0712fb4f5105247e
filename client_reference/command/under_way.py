"""Remembers what was submitted and is not yet told, so that an interrupt loses nothing."""

from threading import Lock

from client_reference.command.output import Output
from client_reference.task import Task


class UnderWay:
    """Follows tasks, from any thread, and tells the output what is new about them."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._states: dict[str, str | None] = {}
        self._unanswered = 0
        self._lock = Lock()

    @property
    def task_ids(self) -> list[str]:
        with self._lock:
            return list(self._states)

    @property
    def unanswered(self) -> int:
        """How many submits were begun and have neither a task nor a refusal."""
        return self._unanswered

    def submitting(self) -> None:
        with self._lock:
            self._unanswered += 1

    def refused(self) -> None:
        with self._lock:
            self._unanswered -= 1

    def follow(self, task_id: str) -> None:
        """Take over a task that was submitted elsewhere."""
        with self._lock:
            self._states[task_id] = None

    def update(self, task: Task) -> None:
        with self._lock:
            is_new = task.id not in self._states
            is_changed = is_new or self._states[task.id] != task.state
            self._states[task.id] = task.state
            if is_new:
                self._unanswered -= 1
        if is_new:
            self._output.submitted(task)
        elif is_changed:
            self._output.changed(task)

    def settled(self, task_id: str) -> None:
        with self._lock:
            self._states.pop(task_id, None)
