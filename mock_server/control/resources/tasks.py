"""The tasks of the caller's sandbox: list, show, finish, wait."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request

from mock_server.control.answers import Instant
from mock_server.control.call import Call
from mock_server.control.errors import ControlError, Detail, WaitTimeout
from mock_server.control.long_list import long_list
from mock_server.control.query import Timeout
from mock_server.control.references import FailCode
from mock_server.control.task_summary import TaskSummary
from mock_server.control.timeline import TimelineEvent, explain, timeline
from mock_server.control.waiting import until
from mock_server.domain.commands import FinishTask
from mock_server.domain.dispatching import CallbackDispatcher
from mock_server.domain.errors import quoted
from mock_server.domain.events import Notice, Recorded
from mock_server.domain.journal import Entry
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.results import Rejection, RejectionReason, TaskView
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.task import Task, TaskState, state_at


class TaskQuery(msgspec.Struct):
    state: TaskState | None = None
    limit: Annotated[int, Meta(ge=1)] = 100


class TaskWait(msgspec.Struct):
    state: TaskState | None = None
    timeout_s: Timeout = msgspec.field(name="timeout", default=5.0)


class Finish(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    state: Literal["success", "failed"]
    fail_code: FailCode | None = None
    fail_msg: Annotated[str, Meta(max_length=1000)] | None = None


class TaskList(msgspec.Struct):
    tasks: list[TaskSummary]


class TaskPlan(msgspec.Struct):
    start_ms: Instant
    end_ms: Instant | None
    polls: int | None
    hold: bool
    outcome: Literal["success", "failed"]
    fail_code: str | None
    fail_msg: str | None

    @classmethod
    def of(cls, task: Task) -> "TaskPlan":
        ending = task.ending
        return cls(
            start_ms=task.start_ms,
            end_ms=task.end_ms,
            polls=ending.polls or None,
            hold=task.end_ms is None and not ending.polls,
            outcome="failed" if ending.fail_code else "success",
            fail_code=ending.fail_code,
            fail_msg=ending.fail_message,
        )


class TaskDetail(TaskSummary, kw_only=True):
    plan: TaskPlan
    explain: Annotated[list[str], Meta(description="Why the task behaves as it does.")]
    timeline: list[TimelineEvent]

    @classmethod
    def of_entries(cls, view: TaskView, seed: int, entries: Sequence[Entry]) -> "TaskDetail":
        """Return a task with its timeline; `entries` are the journal entries of this task."""
        summary = TaskSummary.of(view.task, view.now_ms, seed)
        return cls(
            **msgspec.structs.asdict(summary),
            plan=TaskPlan.of(view.task),
            explain=explain(view.task),
            timeline=timeline(view.task, view.now_ms, entries),
        )


class TaskTimeout(TaskDetail, kw_only=True):
    """An error together with the task."""

    code: int
    message: str
    data: Detail


class TaskIsIn:
    """The condition that a task is in a state, or in a final one if no state is wanted."""

    def __init__(self, task_id: str, wanted: TaskState | None, real_ms: Callable[[], int]) -> None:
        self._task_id = task_id
        self._wanted = wanted
        self._real_ms = real_ms
        self._next_ms: int | None = None
        self._is_polled = True  # Whether status requests can change its state.

    def look(self, sandbox: SandboxReader) -> tuple[TaskView, bool]:
        """Return the task. Raise ControlError (404) if there is none."""
        view = _view(sandbox, self._task_id, self._real_ms())
        self._next_ms = _next_change_ms(view)
        self._is_polled = view.task.ending.polls > 0
        state = state_at(view.task, view.now_ms)
        return view, state.is_final if self._wanted is None else state is self._wanted

    def is_about(self, notice: Notice) -> bool:
        if isinstance(notice, Recorded):
            return self._is_polled and notice.entry.task_id == self._task_id
        return True

    def next_s(self, sandbox: SandboxReader) -> float | None:
        return sandbox.real_wait_s(self._next_ms, self._real_ms())


class TasksResource:
    def __init__(
        self,
        store: Store,
        dispatcher: CallbackDispatcher,
        *,
        real_ms: Callable[[], int],
        fail_messages: Mapping[str, str],
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._real_ms = real_ms
        self._fail_messages = fail_messages

    def calls(self) -> list[Call]:
        return [
            Call("GET", "/_mock/tasks", self.show_all, "List tasks, newest first"),
            Call(
                "GET",
                "/_mock/tasks/{task_id}",
                self.show,
                "Show a task with its plan and timeline",
                rejects=(404,),
            ),
            Call(
                "POST",
                "/_mock/tasks/{task_id}/finish",
                self.finish,
                "End a task now",
                rejects=(404, 409),
            ),
            Call(
                "GET",
                "/_mock/tasks/{task_id}/wait",
                self.wait,
                "Wait until the task reaches `state`, or a final state if `state` is absent",
                rejects=(404,),
                timeout_answer=TaskTimeout,
            ),
        ]

    async def show_all(self, sandbox: SandboxReader, query: TaskQuery) -> TaskList:
        tasks, now_ms = sandbox.tasks(self._real_ms())
        seed = sandbox.seed
        wanted = (
            task for task in tasks if query.state is None or state_at(task, now_ms) is query.state
        )
        return TaskList(
            tasks=long_list(
                TaskSummary.of(task, now_ms, seed) for task in islice(wanted, query.limit)
            )
        )

    async def show(self, sandbox: SandboxReader, task_id: str) -> TaskDetail:
        return self._detail(sandbox, self._view(sandbox, task_id))

    async def finish(self, sandbox: SandboxReader, task_id: str, body: Finish) -> TaskDetail:
        fail_code, fail_message = self._outcome(body)
        finish = FinishTask(
            real_ms=self._real_ms(),
            task_id=task_id,
            fail_code=fail_code,
            fail_message=fail_message,
        )
        view = await self._store.execute(sandbox.id, finish)
        if isinstance(view, Rejection):
            if view.reason is RejectionReason.UNKNOWN_TASK:
                raise _unknown(task_id)
            ended = self._view(sandbox, task_id)
            state = state_at(ended.task, ended.now_ms)
            raise ControlError(409, f"task_id: the task has already ended ({state})")
        self._dispatcher.wake(sandbox.id)
        return self._detail(sandbox, view)

    async def wait(
        self, sandbox: SandboxReader, task_id: str, query: TaskWait, request: Request
    ) -> TaskDetail:
        wanted = query.state
        condition = TaskIsIn(task_id, wanted, self._real_ms)
        ended = await until(self._store, sandbox, condition, query.timeout_s, request)
        detail = self._detail(sandbox, ended.seen)
        if ended.is_met:
            return detail
        goal = "a final state" if wanted is None else quoted(wanted.value)
        state, waited_s = quoted(detail.state.value), round(ended.waited_s, 3)
        raise WaitTimeout(
            f"state: is {state} after {waited_s:g} s, not {goal}",
            TaskTimeout,
            detail,
        )

    def _view(self, sandbox: SandboxReader, task_id: str) -> TaskView:
        return _view(sandbox, task_id, self._real_ms())

    def _detail(self, sandbox: SandboxReader, view: TaskView) -> TaskDetail:
        entries = [entry for _, entry in sandbox.entries() if entry.task_id == view.task.id]
        return TaskDetail.of_entries(view, sandbox.seed, entries)

    def _outcome(self, finish: Finish) -> tuple[str | None, str | None]:
        """Return fail code and message. Raise ControlError (400) if they are invalid."""
        if finish.state == "success":
            for name, value in (("failCode", finish.fail_code), ("failMsg", finish.fail_msg)):
                if value is not None:
                    raise ControlError(400, f'{name}: is only allowed with the state "failed"')
            return None, None
        code = finish.fail_code or "GENERATION_FAILED"
        if code not in self._fail_messages:
            hint = did_you_mean(code, self._fail_messages)
            raise ControlError(400, f"failCode: {quoted(code)} is unknown{hint}")
        return code, finish.fail_msg or self._fail_messages[code]


def _view(sandbox: SandboxReader, task_id: str, real_ms: int) -> TaskView:
    view = sandbox.task(task_id, real_ms)
    if view is None:
        raise _unknown(task_id)
    return view


def _unknown(task_id: str) -> ControlError:
    return ControlError(404, f"task_id: no task of this API key has the id {quoted(task_id)}")


def _next_change_ms(view: TaskView) -> int | None:
    """Return when time alone changes the state next; None if it does not."""
    task, now_ms = view.task, view.now_ms
    if now_ms < task.start_ms:
        return task.start_ms
    return None if task.end_ms is None or task.end_ms <= now_ms else task.end_ms
