"""Transitions of live tasks, derived from their plans, for an event stream."""

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from mock_server.control.answers import Instant
from mock_server.domain.task import Task, TaskState, state_at

MAX_FOLLOWED = 1000  # Only the newest live tasks are followed.


class Transition(msgspec.Struct, rename={"from_": "from"}):
    task_id: str
    from_: TaskState
    to: TaskState
    at_ms: Instant


class TaskFollower:
    """Follows live tasks and reports each transition once."""

    def __init__(self) -> None:
        self._reported: dict[str, tuple[Task, TaskState]] = {}

    def clear(self) -> None:
        self._reported.clear()

    def add(self, task: Task) -> None:
        """Follow a task that was just submitted."""
        self._reported.setdefault(task.id, (task, TaskState.PENDING))
        if len(self._reported) > MAX_FOLLOWED:
            del self._reported[next(iter(self._reported))]

    def follow(self, tasks: Sequence[Task], now_ms: int) -> None:
        """Follow the live ones among these tasks from their present state. Newest first."""
        states = ((task, state_at(task, now_ms)) for task in tasks)
        live = ((task, state) for task, state in states if not state.is_final)
        for task, state in reversed(list(islice(live, MAX_FOLLOWED))):
            self._reported.setdefault(task.id, (task, state))
        while len(self._reported) > MAX_FOLLOWED:
            del self._reported[next(iter(self._reported))]

    def transitions(self, now_ms: int) -> list[Transition]:
        """Return the transitions since the last call, in order of time."""
        passed: list[Transition] = []
        for task, before in list(self._reported.values()):
            state = before
            for at_ms, after in _passed(task, before, now_ms):
                passed.append(Transition(task_id=task.id, from_=state, to=after, at_ms=at_ms))
                state = after
            if state.is_final:
                del self._reported[task.id]
            elif state is not before:
                self._reported[task.id] = (task, state)
        return sorted(passed, key=lambda each: each.at_ms)

    def next_ms(self) -> int | None:
        """Return when the next transition is due; None if no passing of time causes one."""
        due = (_next_ms(task, state) for task, state in self._reported.values())
        return min((each for each in due if each is not None), default=None)


def _passed(task: Task, before: TaskState, now_ms: int) -> Iterator[tuple[int, TaskState]]:
    """Yield the states that a task has reached since `before`, each with its instant."""
    state = state_at(task, now_ms)
    if before is TaskState.PENDING and state is not before:
        yield now_ms if _is_polled(task) else task.plan.start_ms, TaskState.PROCESSING
    if state.is_final:
        end_ms = task.plan.end_ms
        yield now_ms if end_ms is None else end_ms, state


def _next_ms(task: Task, state: TaskState) -> int | None:
    if state is TaskState.PENDING and not _is_polled(task):
        return task.plan.start_ms
    return task.plan.end_ms


def _is_polled(task: Task) -> bool:
    """Return whether status requests, not time, change the state of the task."""
    return task.plan.polls > 0 and task.plan.end_ms is None
