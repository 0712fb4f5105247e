"""Time that many workers share: once all of them sleep, it moves to the one that wakes first.

Who is at work is counted, not guessed: a prompt that was taken and whose result has not come.
"""

import asyncio
import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock

from tests.mock_server.e2e.api import Api
from tests.patience import PATIENCE_S

_STEP_S = 5  # all wake at multiples of it, so that time moves in few steps


@dataclass(frozen=True, slots=True, order=True)
class _Sleeper:
    wakes_s: float
    wake: Callable[[], object] = field(compare=False)


class CommonTime:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._now_s = api.now_ms() / 1000
        self._sleepers: list[_Sleeper] = []
        self._at_work = 0
        self._to_come = 0
        self._lock = Lock()

    def clock(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        woken = Event()
        self._fall_asleep(seconds, woken.set)
        assert woken.wait(PATIENCE_S), "somebody neither sleeps nor ends"

    async def async_sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fall_asleep(seconds, lambda: woken.set_result(None))
        await woken

    def given(self, prompts: Sequence[str]) -> Iterator[str]:
        """Hand out the prompts; each is at work from now on."""
        self._to_come = len(prompts)
        for prompt in prompts:
            with self._lock:
                self._to_come -= 1
                self._at_work += 1
            yield prompt

    def ended(self) -> None:
        """Count a result that has come; while there are prompts, the next one takes its place."""
        with self._lock:
            self._at_work -= 1
            if not self._to_come:
                self._move_if_all_sleep()

    def _fall_asleep(self, seconds: float, wake: Callable[[], object]) -> None:
        with self._lock:
            wakes_s = math.ceil((self._now_s + seconds) / _STEP_S) * _STEP_S
            heapq.heappush(self._sleepers, _Sleeper(wakes_s, wake))
            self._move_if_all_sleep()

    def _move_if_all_sleep(self) -> None:
        if not self._sleepers or len(self._sleepers) < self._at_work:
            return
        next_s = self._sleepers[0].wakes_s
        if next_s > self._now_s:
            self._api.advance(next_s - self._now_s)
            self._now_s = next_s
        while self._sleepers and self._sleepers[0].wakes_s <= next_s:
            heapq.heappop(self._sleepers).wake()
