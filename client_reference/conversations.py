"""The flows without I/O for submit, status, balance, wait and generate."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import httpx

from client_reference import answers
from client_reference.errors import (
    ApiError,
    ApixoError,
    RateLimited,
    ServerError,
    SubmissionUncertain,
    TlsError,
    TransportError,
    UnexpectedResponse,
    WaitTimeout,
)
from client_reference.polling import Polling
from client_reference.retrying import LONGEST_BACKOFF_S, LONGEST_CALL_S, retry
from client_reference.steps import Flow, Send
from client_reference.submission import MODEL, Submission
from client_reference.task import Generation, Task
from client_reference.timeline import Timeline

_LAST_REQUEST_S = 2.0  # The time limit of a request that is sent at the deadline.
_CHECK_RECEIVER_EVERY_S = 0.5
# A service that was never reached is more likely absent than busy, so the caller hears of it soon:
# five attempts take about ten seconds.
_LONGEST_FIRST_CONTACT_BACKOFF_S = 2.0
_RETRIED_STATUSES = frozenset({500, 502, 503, 504})

OnUpdate = Callable[[Task], None]
Received = Callable[[str], Task | None]


def _send_at_once(_: Timeline, __: float) -> Flow[None]:
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Makes the flows.  `pace` may delay a request, but not beyond its deadline."""

    clock: Callable[[], float]
    timeout_s: float
    max_retries: int
    retry_submit: bool
    polling: Polling
    pace: Callable[[Timeline, float], Flow[None]] = field(default=_send_at_once)

    def timeline(self) -> Timeline:
        """Return a new timeline for one flow."""
        return Timeline(self.clock)

    def submit(
        self,
        submission: Submission,
        timeline: Timeline,
        deadline_s: float | None = None,
        *,
        retry_rate_limited: bool = True,
    ) -> Flow[Task]:
        """Create a task and return it.

        A request that may have been accepted is retried only with `retry_submit`.  A 429 is
        retried only with `retry_rate_limited`.  Raises TaskFailed without a task if the submit is
        rejected with a fail code (FAIL-6).
        """
        uncertain: list[ApixoError] = []

        def may_retry(error: ApixoError) -> bool:
            if _may_have_been_accepted(error):
                uncertain.append(error)
                return self.retry_submit
            return retry_rate_limited or not isinstance(error, RateLimited)

        request = Send(
            method="POST",
            path=f"/api/v1/generateTask/{MODEL}",
            content=submission.encode(),
            timeout_s=self.timeout_s,
        )
        try:
            response = yield from self._request(request, timeline, deadline_s, may_retry)
            return answers.read_accepted(response, timeline.now_s())
        except ApixoError as error:
            failure = answers.failure_of_submit(error) if isinstance(error, ApiError) else None
            if failure is not None and not uncertain:
                raise failure from error
            if uncertain or _may_have_been_accepted(error):
                end = (
                    "no attempt got a valid response" if self.retry_submit else "it was not retried"
                )
                raise SubmissionUncertain(
                    f"the request may have been accepted; {end} ({error})"
                ) from error
            raise

    def status(
        self,
        task_id: str,
        timeline: Timeline,
        deadline_s: float | None = None,
        *,
        is_first_contact: bool = True,
    ) -> Flow[Task]:
        """Return the current state of a task."""
        if not task_id or task_id.encode("utf-8", "ignore").decode() != task_id:
            raise ValueError("task_id: must be a string that is not empty")
        request = Send(
            method="GET",
            path=f"/api/v1/statusTask/{MODEL}",
            query=(("taskId", task_id),),
            timeout_s=self.timeout_s,
        )
        response = yield from self._request(
            request, timeline, deadline_s, is_first_contact=is_first_contact
        )
        task = answers.read_task(response.content, response)
        if task.id != task_id:
            raise UnexpectedResponse(
                f'data.taskId is not the requested task "{task_id}"', response.content, response
            )
        return task

    def balance(self, timeline: Timeline) -> Flow[Decimal]:
        """Return the balance in US dollars."""
        path = "/api/v1/apikeys/current-balance"
        request = Send(method="GET", path=path, timeout_s=self.timeout_s)
        return answers.read_balance((yield from self._request(request, timeline)))

    def wait(
        self, task: Task, timeline: Timeline, deadline_s: float, on_update: OnUpdate | None = None
    ) -> Flow[Task]:
        """Poll until the task has ended, or until the deadline; every error has the task."""
        try:
            return (yield from self._poll(task, timeline, deadline_s, on_update))
        except ApixoError as error:
            error.task = error.task or task
            raise

    def _poll(
        self, task: Task, timeline: Timeline, deadline_s: float, on_update: OnUpdate | None
    ) -> Flow[Task]:
        if task.is_final:
            return task
        now_s = timeline.now_s()
        began_s = now_s if task.submitted_at_s is None else task.submitted_at_s
        age_s = None if task.submitted_at_s is None else now_s - began_s
        pause_s = self.polling.first_pause_s(age_s)
        is_first_contact = task.submitted_at_s is None
        while True:
            left_s = deadline_s - timeline.now_s()
            is_last = pause_s >= left_s
            if (shortened_s := min(pause_s, left_s)) > 0:
                yield from timeline.sleep(shortened_s)
            try:
                seen = yield from self.status(
                    task.id, timeline, deadline_s, is_first_contact=is_first_contact
                )
            except (TransportError, ServerError) as error:
                if timeline.now_s() < deadline_s:
                    raise
                raise _wait_timeout(task) from error
            is_first_contact = False
            task = replace(seen, submitted_at_s=task.submitted_at_s)
            if on_update is not None:
                on_update(task)
            if task.is_final:
                return task
            # Pacing may have delayed the request until the deadline.
            if is_last or timeline.now_s() >= deadline_s:
                raise _wait_timeout(task)
            pause_s = self.polling.next_pause_s(pause_s, timeline.now_s() - began_s)

    def generate(
        self,
        submission: Submission,
        timeline: Timeline,
        deadline_s: float,
        on_update: OnUpdate | None = None,
        received: Received | None = None,
    ) -> Flow[Generation]:
        """Submit a task and return its result."""
        task = yield from self.submit(submission, timeline, deadline_s)
        wanted = submission.images.num_images
        return (yield from self.follow(task, wanted, timeline, deadline_s, on_update, received))

    def follow(
        self,
        task: Task,
        num_images: int,
        timeline: Timeline,
        deadline_s: float,
        on_update: OnUpdate | None = None,
        received: Received | None = None,
    ) -> Flow[Generation]:
        """Wait for an accepted task and return its result; every error has the task."""
        try:
            if on_update is not None:
                on_update(task)
            if received is not None:
                task = yield from self._await_callback(task, timeline, deadline_s, received)
                if task.is_final and on_update is not None:
                    on_update(task)
            task = yield from self.wait(task, timeline, deadline_s, on_update)
            return answers.generation_of(task, num_images)
        except ApixoError as error:
            error.task = error.task or task
            raise

    def _await_callback(
        self, task: Task, timeline: Timeline, deadline_s: float, received: Received
    ) -> Flow[Task]:
        """Return the task from its callback, or the unchanged task if none arrives in time."""
        began_s = timeline.now_s() if task.submitted_at_s is None else task.submitted_at_s
        until_s = min(began_s + 2 * self.polling.usual_s, deadline_s)
        while True:
            ended = received(task.id)
            if ended is not None:
                return replace(ended, submitted_at_s=task.submitted_at_s)
            left_s = until_s - timeline.now_s()
            if left_s <= 0:
                return task
            yield from timeline.sleep(min(_CHECK_RECEIVER_EVERY_S, left_s))

    def _request(
        self,
        request: Send,
        timeline: Timeline,
        deadline_s: float | None = None,
        may_retry: Callable[[ApixoError], bool] = lambda _: True,
        *,
        is_first_contact: bool = True,
    ) -> Flow[httpx.Response]:
        """Return a successful response; retry errors that may be temporary.

        `is_first_contact` shortens the pauses while no connection can be opened.
        """
        until_s = timeline.now_s() + LONGEST_CALL_S if deadline_s is None else deadline_s
        is_read = request.method == "GET"

        def attempt_once() -> Flow[httpx.Response]:
            yield from self.pace(timeline, until_s)
            limit_s = max(_LAST_REQUEST_S, until_s - timeline.now_s())
            response = yield replace(request, timeout_s=min(request.timeout_s, limit_s))
            assert response is not None, "every request has a response"
            error = answers.read_error(response, timeline.now_s())
            if error is not None:
                raise error
            if is_read:
                answers.check_not_garbled(response)
            return response

        return (
            yield from retry(
                attempt_once,
                timeline,
                max_retries=self.max_retries,
                until_s=until_s,
                may_retry=lambda error: (
                    _may_succeed_later(error, is_read=is_read) and may_retry(error)
                ),
                longest_backoff_s=lambda error: (
                    _LONGEST_FIRST_CONTACT_BACKOFF_S
                    if is_first_contact and isinstance(error, TransportError) and not error.was_sent
                    else LONGEST_BACKOFF_S
                ),
            )
        )


def _may_succeed_later(error: ApixoError, *, is_read: bool) -> bool:
    if isinstance(error, ServerError):
        return (error.status if error.status >= 400 else error.code) in _RETRIED_STATUSES
    if isinstance(error, UnexpectedResponse):
        return error.is_garbled and is_read
    return isinstance(error, TransportError | RateLimited) and not isinstance(error, TlsError)


def _may_have_been_accepted(error: ApixoError) -> bool:
    if isinstance(error, TransportError):
        return error.was_sent
    return isinstance(error, ServerError | UnexpectedResponse)


def _wait_timeout(task: Task) -> WaitTimeout:
    return WaitTimeout(
        f"task {task.id} is still {task.state} at the deadline; it continues at the service", task
    )
