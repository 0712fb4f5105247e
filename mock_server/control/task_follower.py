"""Transitions of live tasks, derived from their plans, for an event stream."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from mock_server.control.answers import Instant
from mock_server.domain.task import Task, TaskState, state_at

MAX_FOLLOWED = 1000  # Only the newest live tasks are followed.


class Transition(msgspec.Struct, rename={"from_": "from"}):
    """A change of a task's state, at an instant of the sandbox's clock."""

    task_id: str
    from_: TaskState
    to: TaskState
    at_ms: Instant


class TaskFollower:
    """Follows live tasks and reports each transition once.

    `task(id)` returns the current task, because status requests and control calls change its plan.
    """

    def __init__(self) -> None:
        self._reported: dict[str, TaskState] = {}

    def clear(self) -> None:
        self._reported.clear()

    def add(self, task_id: str) -> None:
        """Follow a task that was just submitted."""
        self._follow(task_id, TaskState.PENDING)

    def follow(self, tasks: Sequence[Task], now_ms: int) -> None:
        """Follow the live ones of these tasks, newest first, from their current state on."""
        states = ((task, state_at(task, now_ms)) for task in tasks)
        live = ((task, state) for task, state in states if not state.is_final)
        for task, state in reversed(list(islice(live, MAX_FOLLOWED))):
            self._follow(task.id, state)

    def transitions(self, task: Callable[[str], Task | None], now_ms: int) -> list[Transition]:
        """Return the transitions since the last call, in order of time."""
        passed: list[Transition] = []
        for task_id, before in list(self._reported.items()):
            followed = task(task_id)
            if followed is None:
                del self._reported[task_id]
                continue
            state = before
            for at_ms, after in _passed(followed, before, now_ms):
                passed.append(Transition(task_id=task_id, from_=state, to=after, at_ms=at_ms))
                state = after
            if state.is_final:
                del self._reported[task_id]
            else:
                self._reported[task_id] = state
        return sorted(passed, key=lambda each: each.at_ms)

    def next_ms(self, task: Callable[[str], Task | None]) -> int | None:
        """Return when the next transition is due; None if time alone causes none."""
        followed = ((task(task_id), state) for task_id, state in self._reported.items())
        due = (_next_ms(each, state) for each, state in followed if each is not None)
        return min((each for each in due if each is not None), default=None)

    def _follow(self, task_id: str, state: TaskState) -> None:
        self._reported.setdefault(task_id, state)
        if len(self._reported) > MAX_FOLLOWED:
            del self._reported[next(iter(self._reported))]


def _passed(task: Task, before: TaskState, now_ms: int) -> Iterator[tuple[int, TaskState]]:
    """Yield the states that a task has reached since `before`, each with its instant."""
    state = state_at(task, now_ms)
    if before is TaskState.PENDING and state is not before:
        yield now_ms if _is_polled(task) else task.start_ms, TaskState.PROCESSING
    if state.is_final:
        end_ms = task.end_ms
        yield now_ms if end_ms is None else end_ms, state


def _next_ms(task: Task, state: TaskState) -> int | None:
    if state is TaskState.PENDING and not _is_polled(task):
        return task.start_ms
    return task.end_ms


def _is_polled(task: Task) -> bool:
    """Return whether status requests, not time, change the state of the task."""
    return task.ending.polls > 0 and task.end_ms is None
