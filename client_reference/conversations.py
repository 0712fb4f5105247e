"""The conversations with the service, free of I/O: submit, status, balance, wait, generate."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import httpx

from client_reference import answers
from client_reference.errors import (
    ApixoError,
    RateLimited,
    ServerError,
    SubmissionUncertain,
    TransportError,
    UnexpectedResponse,
    WaitTimeout,
)
from client_reference.polling import Polling
from client_reference.retrying import LONGEST_CALL_S, repeated
from client_reference.steps import Flow, Send
from client_reference.submission import MODEL, Submission
from client_reference.task import Generation, Task
from client_reference.timeline import Timeline

_LAST_WORD_S = 2.0  # how long a request may take that is sent at its deadline
_RECEIVER_EVERY_S = 0.5  # how often to look whether a callback has come
_WORTH_REPEATING = frozenset({500, 502, 503, 504})

OnUpdate = Callable[[Task], None]
Received = Callable[[str], Task | None]


def _at_once(_: Timeline, __: float) -> Flow[None]:
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The rules of every conversation. `hold` may delay a request until its deadline."""

    clock: Callable[[], float]
    timeout_s: float
    max_retries: int
    retry_submit: bool
    polling: Polling
    hold: Callable[[Timeline, float], Flow[None]] = field(default=_at_once)

    def timeline(self) -> Timeline:
        return Timeline(self.clock)

    def submit(
        self,
        submission: Submission,
        timeline: Timeline,
        deadline_s: float | None = None,
        *,
        waits_for_a_place: bool = True,
    ) -> Flow[Task]:
        """Send at most once after it may have been accepted, unless `retry_submit`.

        With `waits_for_a_place` off, the first 429 is raised.
        """
        doubts: list[ApixoError] = []

        def may_repeat(error: ApixoError) -> bool:
            if _may_have_been_accepted(error):
                doubts.append(error)
                return self.retry_submit
            return waits_for_a_place or not isinstance(error, RateLimited)

        path = f"/api/v1/generateTask/{MODEL}"
        order = Send(
            method="POST", path=path, content=submission.encoded(), timeout_s=self.timeout_s
        )
        try:
            response = yield from self._answer(order, timeline, deadline_s, may_repeat)
            return answers.accepted(response, timeline.now_s())
        except ApixoError as error:
            if doubts or _may_have_been_accepted(error):
                raise SubmissionUncertain(
                    "the submit was sent and may have been accepted, but no usable answer came"
                    f" ({error}); sending it again may pay for it twice"
                ) from error
            raise

    def status(
        self, task_id: str, timeline: Timeline, deadline_s: float | None = None
    ) -> Flow[Task]:
        if not task_id or task_id.encode("utf-8", "ignore").decode() != task_id:
            raise ValueError("task_id: must be a text that is not empty")
        path = f"/api/v1/statusTask/{MODEL}"
        question = Send(
            method="GET", path=path, query=(("taskId", task_id),), timeout_s=self.timeout_s
        )
        response = yield from self._answer(question, timeline, deadline_s)
        task = answers.task_of(response.content, response)
        if task.id != task_id:
            raise UnexpectedResponse(
                f"data.taskId is not the task asked for, {task_id!r}", response.content, response
            )
        return task

    def balance(self, timeline: Timeline) -> Flow[Decimal]:
        question = Send(
            method="GET", path="/api/v1/apikeys/current-balance", timeout_s=self.timeout_s
        )
        return answers.balance_of((yield from self._answer(question, timeline)))

    def wait(
        self,
        task: Task,
        timeline: Timeline,
        deadline_s: float,
        on_update: OnUpdate | None = None,
    ) -> Flow[Task]:
        """Ask until the task has ended, the last time at the deadline; errors keep the task."""
        try:
            return (yield from self._wait(task, timeline, deadline_s, on_update))
        except ApixoError as error:
            error.task = error.task or task
            raise

    def _wait(
        self, task: Task, timeline: Timeline, deadline_s: float, on_update: OnUpdate | None
    ) -> Flow[Task]:
        polling = self.polling
        if task.is_final:
            return task
        born_s = timeline.now_s() if task.submitted_at_s is None else task.submitted_at_s
        is_ours = task.submitted_at_s is not None
        pause_s = polling.first_pause_s(timeline.now_s() - born_s if is_ours else None)
        while True:
            left_s = deadline_s - timeline.now_s()
            is_last = pause_s >= left_s
            if (cut_s := min(pause_s, left_s)) > 0:
                yield from timeline.sleep(cut_s)
            try:
                seen = yield from self.status(task.id, timeline, deadline_s)
            except (TransportError, ServerError) as error:
                if timeline.now_s() < deadline_s:
                    raise
                raise _too_late(task) from error
            task = replace(seen, submitted_at_s=task.submitted_at_s)
            if on_update is not None:
                on_update(task)
            if task.is_final:
                return task
            if is_last or timeline.now_s() >= deadline_s:  # it may have been held until then
                raise _too_late(task)
            pause_s = polling.next_pause_s(pause_s, timeline.now_s() - born_s)

    def generate(
        self,
        submission: Submission,
        timeline: Timeline,
        deadline_s: float,
        on_update: OnUpdate | None = None,
        received: Received | None = None,
    ) -> Flow[Generation]:
        task = yield from self.submit(submission, timeline, deadline_s)
        return (yield from self.finish(task, timeline, deadline_s, on_update, received))

    def finish(
        self,
        task: Task,
        timeline: Timeline,
        deadline_s: float,
        on_update: OnUpdate | None = None,
        received: Received | None = None,
    ) -> Flow[Generation]:
        """See an accepted task to its end; whatever is raised from here on keeps the task."""
        try:
            if on_update is not None:
                on_update(task)
            if received is not None:
                task = yield from self._await_callback(task, timeline, deadline_s, received)
                if task.is_final and on_update is not None:
                    on_update(task)
            task = yield from self.wait(task, timeline, deadline_s, on_update)
            return answers.generation_of(task)
        except ApixoError as error:
            error.task = error.task or task
            raise

    def _await_callback(
        self, task: Task, timeline: Timeline, deadline_s: float, received: Received
    ) -> Flow[Task]:
        """Return the task as its callback told it, or as it was when none has come in time."""
        born_s = timeline.now_s() if task.submitted_at_s is None else task.submitted_at_s
        until_s = min(born_s + 2 * self.polling.usual_s, deadline_s)
        while True:
            told = received(task.id)
            if told is not None:
                return replace(told, submitted_at_s=task.submitted_at_s)
            left_s = until_s - timeline.now_s()
            if left_s <= 0:
                return task
            yield from timeline.sleep(min(_RECEIVER_EVERY_S, left_s))

    def _answer(
        self,
        request: Send,
        timeline: Timeline,
        deadline_s: float | None = None,
        may_repeat: Callable[[ApixoError], bool] = lambda _: True,
    ) -> Flow[httpx.Response]:
        """Return an answer that is no refusal; repeat what is worth repeating."""
        until_s = timeline.now_s() + LONGEST_CALL_S if deadline_s is None else deadline_s

        def once() -> Flow[httpx.Response]:
            yield from self.hold(timeline, until_s)
            limit_s = max(_LAST_WORD_S, until_s - timeline.now_s())
            response = yield replace(request, timeout_s=min(request.timeout_s, limit_s))
            assert response is not None, "every request is answered"
            refusal = answers.refusal(response, timeline.now_s())
            if refusal is not None:
                raise refusal
            if request.method == "GET":
                answers.check_readable(response)
            return response

        def is_worth(error: ApixoError) -> bool:
            is_garbled = isinstance(error, UnexpectedResponse) and error.is_garbled
            return _is_worth_repeating(error) or (is_garbled and request.method == "GET")

        return (
            yield from repeated(
                once,
                timeline,
                max_retries=self.max_retries,
                until_s=until_s,
                is_worth=lambda error: is_worth(error) and may_repeat(error),
            )
        )


def _is_worth_repeating(error: ApixoError) -> bool:
    if isinstance(error, ServerError):
        return (error.status if error.status >= 400 else error.code) in _WORTH_REPEATING
    return isinstance(error, TransportError | RateLimited)


def _may_have_been_accepted(error: ApixoError) -> bool:
    if isinstance(error, TransportError):
        return error.was_sent
    return isinstance(error, ServerError | UnexpectedResponse)


def _too_late(task: Task) -> WaitTimeout:
    return WaitTimeout(f"task {task.id} is still {task.state} at the deadline; it goes on", task)
