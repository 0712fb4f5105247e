"""Time that many share: it moves to the next one who wakes, once nobody has anything left to do."""

import asyncio
import heapq
import math
from collections.abc import Callable
from itertools import count
from threading import Condition
from typing import Protocol

import httpx

_QUIET_S = 0.01  # nobody has asked anything for so long: everybody sleeps
_STEP_S = 5.0  # all wake at multiples of it, so that time moves in few steps


class Mover(Protocol):
    def __call__(self, seconds: float) -> object:
        """Move the clock of the service on."""


def _waking_s(wanted_s: float) -> float:
    return math.ceil(wanted_s / _STEP_S) * _STEP_S


class CommonTime:
    """For threads."""

    def __init__(self, now_s: float, advance: Mover) -> None:
        self.now_s = now_s
        self._advance = advance
        self._changed = Condition()
        self._wakes_s: list[float] = []
        self._asking = 0
        self._moves = 0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        with self._changed:
            wakes_s = _waking_s(self.now_s + seconds)
            heapq.heappush(self._wakes_s, wakes_s)
            while self.now_s < wakes_s:
                seen = self._moves
                self._changed.wait(_QUIET_S)
                if seen == self._moves and self._asking == 0:
                    self._move_on()

    def asks(self, change: int) -> None:
        with self._changed:
            self._asking += change
            self._moves += 1

    def _move_on(self) -> None:
        next_s = heapq.heappop(self._wakes_s)
        while next_s <= self.now_s:
            next_s = heapq.heappop(self._wakes_s)
        self._advance(next_s - self.now_s)
        self.now_s = next_s
        self._moves += 1
        self._changed.notify_all()


class CommonAsyncTime:
    """For tasks of one loop; `run` moves the time until it is cancelled."""

    def __init__(self, now_s: float, advance: Mover) -> None:
        self.now_s = now_s
        self._advance = advance
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._asking = 0
        self._moves = 0

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (_waking_s(self.now_s + seconds), next(self._order), woken))
        await woken

    def asks(self, change: int) -> None:
        self._asking += change
        self._moves += 1

    async def run(self) -> None:
        while True:
            seen = self._moves
            await asyncio.sleep(_QUIET_S)
            if seen == self._moves and self._asking == 0 and self._sleepers:
                next_s = max(self._sleepers[0][0], self.now_s)
                if next_s > self.now_s:
                    self._advance(next_s - self.now_s)
                self.now_s = next_s
                while self._sleepers and self._sleepers[0][0] <= next_s:
                    _, _, woken = heapq.heappop(self._sleepers)
                    if not woken.done():
                        woken.set_result(None)


class CountingTransport(httpx.HTTPTransport):
    """Tells when a request begins and ends."""

    def __init__(self, asks: Callable[[int], None]) -> None:
        super().__init__(verify=False, limits=httpx.Limits(max_connections=50))
        self._asks = asks

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._asks(1)
        try:
            return super().handle_request(request)
        finally:
            self._asks(-1)


class AsyncCountingTransport(httpx.AsyncHTTPTransport):
    def __init__(self, asks: Callable[[int], None]) -> None:
        super().__init__(verify=False, limits=httpx.Limits(max_connections=50))
        self._asks = asks

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._asks(1)
        try:
            return await super().handle_async_request(request)
        finally:
            self._asks(-1)
