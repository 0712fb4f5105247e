"""Many flows at once in virtual time, and a service with limited room."""

import heapq
import json
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace

import httpx

from client_reference import BatchResult
from client_reference.batch import Batch, BatchInput
from client_reference.conversations import Api
from client_reference.limiter import Limiter
from client_reference.polling import Polling
from client_reference.steps import Done, Flow, Send, Sleep, advance
from client_reference.submission import ImageOptions
from tests.client_reference.scripted import Answer, accepts, says, succeeds, told


class Provider:
    """Has room for so many tasks at once, each of which takes its time (LIM-2)."""

    def __init__(self, *, room: int, duration_s: float, retry_after: int | None = None) -> None:
        self._room = room
        self._duration_s = duration_s
        self._headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._ends_s: dict[str, float] = {}
        self._under_way_s: list[float] = []
        self.requests_s: list[float] = []
        self.submits = 0
        self.refused = 0
        self.most_at_once = 0

    def answer(self, step: Send, now_s: float) -> httpx.Response:
        self.requests_s.append(now_s)
        chosen = self._submit(now_s) if step.method == "POST" else self._status(step, now_s)
        return chosen(httpx.Request(step.method, f"http://service.test{step.path}"))

    def _submit(self, now_s: float) -> Answer:
        self.submits += 1
        while self._under_way_s and self._under_way_s[0] <= now_s:
            heapq.heappop(self._under_way_s)
        at_once = len(self._under_way_s)
        if at_once >= self._room:
            self.refused += 1
            return says(429, headers=self._headers)
        self.most_at_once = max(self.most_at_once, at_once + 1)
        task_id = f"task_{len(self._ends_s)}"
        self._ends_s[task_id] = now_s + self._duration_s
        heapq.heappush(self._under_way_s, now_s + self._duration_s)
        return accepts(task_id)

    def _status(self, step: Send, now_s: float) -> Answer:
        task_id = dict(step.query)["taskId"]
        has_ended = now_s >= self._ends_s[task_id]
        return succeeds(task_id) if has_ended else told("processing", task_id)


class Simulation:
    """Does what flows want done, always the earliest first; a request takes a moment."""

    def __init__(self, provider: Provider, latency_s: float = 0.1) -> None:
        self._provider = provider
        self._latency_s = latency_s
        self.now_s = 1_800_000_000.0

    def clock(self) -> float:
        return self.now_s

    def batch(
        self, limiter: Limiter, polling: Polling | None = None, timeout_s: float = 300.0
    ) -> Batch:
        api = Api(
            clock=self.clock,
            timeout_s=30.0,
            max_retries=4,
            retry_submit=False,
            polling=polling or Polling(),
        )
        given = BatchInput([], None)
        return Batch(api, given, images=ImageOptions(), limiter=limiter, timeout_s=timeout_s)

    def results(self, flows: Iterator[Flow[BatchResult]], at_once: int) -> Iterator[BatchResult]:
        """Run so many flows at once; yield what each returns when it does."""
        order = count()
        due: list[tuple[float, int, SimpleNamespace]] = []

        def begin() -> None:
            flow = next(flows, None)
            if flow is not None:
                heapq.heappush(
                    due, (self.now_s, next(order), SimpleNamespace(flow=flow, came=None))
                )

        for _ in range(at_once):
            begin()
        while due:
            self.now_s, _, turn = heapq.heappop(due)
            step = advance(turn.flow, turn.came)
            if isinstance(step, Done):
                yield step.value
                begin()
                continue
            if isinstance(step, Sleep):
                turn.came, lasts_s = None, step.seconds
            else:
                assert isinstance(step, Send)
                turn.came, lasts_s = self._provider.answer(step, self.now_s), self._latency_s
            heapq.heappush(due, (self.now_s + lasts_s, next(order), turn))


def prompt_of(request: httpx.Request) -> str:
    prompt: str = json.loads(request.content)["input"]["prompt"]
    return prompt
