"""Many prompts at once, within the limits of a key (LIM-1, LIM-2)."""

from bisect import insort
from collections import deque
from copy import copy
from dataclasses import dataclass, replace
from threading import Lock

from client_reference.conversations import Api, OnUpdate
from client_reference.errors import ApixoError, AuthenticationError, RateLimited
from client_reference.retrying import LONGEST_CALL_S
from client_reference.steps import Flow
from client_reference.submission import Submission
from client_reference.task import Generation, Task
from client_reference.timeline import Timeline

MAX_CONCURRENCY = 1000  # LIM-2
REQUESTS_MAX = 9_000  # a tenth below LIM-1: requests may arrive closer together than they left
WINDOW_S = 60.0
_ASK_AGAIN_S = 1.0  # how long to wait for a place before looking again
_BACKOFF_S = 2.0  # when the service says 429 and not how long


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What became of one prompt of many: a generation or an error, never both.

    The error is a ValueError where the prompt itself is not acceptable.
    """

    index: int
    prompt: str
    generation: Generation | None = None
    error: ApixoError | ValueError | None = None

    def __post_init__(self) -> None:
        if (self.generation is None) == (self.error is None):
            raise ValueError("a result has either a generation or an error")


class _Stopped(ApixoError):
    """Nobody wants the results any more."""


class Gate:
    """Lets tasks in while the service has room for them; shared by everyone who works at a batch.

    A 429 at a submit says that the service has no more room than for the tasks under way.  Each
    that ends makes room for the next; whether there is room for one more is tried once in as many
    ends as there are places.
    """

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._room = float(concurrency)
        self._under_way = 0
        self._opens_s = 0.0
        self._sent_s: deque[float] = deque()
        self._lock = Lock()
        self._closed_by: ApixoError | None = None
        self._is_stopped = False

    def enter(self, now_s: float) -> float:
        """Take a place; return 0, or in how many seconds to ask again."""
        with self._lock:
            if self._closed_by is not None:
                raise copy(self._closed_by)
            if self._under_way + 1 <= self._room and now_s >= self._opens_s:
                self._under_way += 1
                return 0.0
            return max(self._opens_s - now_s, _ASK_AGAIN_S)

    def turned_away(self, now_s: float, error: RateLimited) -> bool:
        """Give the place back after a 429; say whether tasks are under way that will make room.

        Asked to wait for longer than any call may take, nobody is let in any more.
        """
        with self._lock:
            self._under_way -= 1
            self._room = float(max(1, self._under_way))
            wait_s = _BACKOFF_S if error.retry_after is None else error.retry_after
            if wait_s > LONGEST_CALL_S:
                self._closed_by = self._closed_by or error
            else:
                self._opens_s = max(self._opens_s, now_s + wait_s)
            return self._under_way > 0

    def leave(self) -> None:
        with self._lock:
            self._under_way -= 1
            self._room = min(float(self._concurrency), self._room + 1 / self._room)

    def close(self, reason: ApixoError) -> None:
        """Let nobody in any more: whoever wants to gets the reason instead."""
        with self._lock:
            self._closed_by = self._closed_by or reason

    def stop(self) -> None:
        """Let nobody send anything any more."""
        self.close(_Stopped())
        self._is_stopped = True

    def hold(self, timeline: Timeline, until_s: float) -> Flow[None]:
        """Delay a request until the window has room for it (LIM-1), but not past its deadline.

        A request that goes before its turn is the last one about its task.  Each worker sends at
        most one before it waits its turn to submit again: the tenth below the limit is for them.
        """
        if self._is_stopped:
            raise _Stopped
        with self._lock:
            now_s = timeline.now_s()
            is_full = len(self._sent_s) == REQUESTS_MAX
            turn_s = max(now_s, self._sent_s[0] + WINDOW_S) if is_full else now_s
            at_s = max(now_s, min(turn_s, until_s))
            if is_full:
                self._sent_s.popleft()
            if at_s == turn_s:
                self._sent_s.append(at_s)
            else:
                insort(self._sent_s, at_s)
        if at_s > now_s:
            yield from timeline.sleep(at_s - now_s)


class Batch:
    """Many prompts with the same options; each flow works at one of them."""

    def __init__(  # what generate_many is given
        self,
        api: Api,
        *,
        like: Submission,
        concurrency: int,
        timeout_s: float,
        on_update: OnUpdate | None,
    ) -> None:
        if type(concurrency) is not int or not 1 <= concurrency <= MAX_CONCURRENCY:
            raise ValueError(f"concurrency: must be a whole number from 1 to {MAX_CONCURRENCY}")
        self._gate = Gate(concurrency)
        self._api = replace(api, hold=self._gate.hold)
        self._like = like
        self._timeout_s = timeout_s
        self._on_update = on_update

    def stop(self) -> None:
        """Let nothing more be sent."""
        self._gate.stop()

    def result(self, index: int, prompt: str) -> Flow[BatchResult]:
        """Submit as soon as there is room, then see the task to its end."""
        try:
            submission = self._like.with_prompt(prompt)
        except ValueError as error:
            return BatchResult(index=index, prompt=prompt, error=error)
        try:
            generation = yield from self._generation(submission)
        except ApixoError as error:
            return BatchResult(index=index, prompt=prompt, error=error)
        return BatchResult(index=index, prompt=prompt, generation=generation)

    def _generation(self, submission: Submission) -> Flow[Generation]:
        timeline = self._api.timeline()
        task = yield from self._admitted(submission, timeline)
        try:
            deadline_s = timeline.now_s() + self._timeout_s
            return (yield from self._api.finish(task, timeline, deadline_s, self._on_update))
        finally:
            self._gate.leave()

    def _admitted(self, submission: Submission, timeline: Timeline) -> Flow[Task]:
        refused = 0
        while True:
            while (pause_s := self._gate.enter(timeline.now_s())) > 0:
                yield from timeline.sleep(pause_s)
            try:
                return (yield from self._api.submit(submission, timeline, waits_for_a_place=False))
            except RateLimited as error:
                refused += 1
                others_make_room = self._gate.turned_away(timeline.now_s(), error)
                if not others_make_room and refused > self._api.max_retries:
                    raise
            except BaseException as error:
                self._gate.leave()
                if isinstance(error, AuthenticationError):
                    self._gate.close(error)  # what is true of the key is true for all that wait
                raise
