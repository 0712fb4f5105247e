"""Decide which callback attempt starts next: keys, and the receivers of a key, take turns.

See decision 19 for the limits and their reasons.
"""

import asyncio
from collections import deque
from typing import Any, Protocol

import msgspec

_MAX_FAILING = 1000
_STARTS_PER_TURN = 8
"""Attempts that start in one turn of the event loop. Requests are answered between turns."""


class LaneLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many attempts may be in progress, and how many of a key may be claimed."""

    per_lane: int = 32
    per_origin: int = 128
    in_all: int = 1000
    claimed: int = 10_000


class LaneJob(Protocol):
    """An attempt that waits for its turn."""

    @property
    def instant_ms(self) -> int | None:
        """Attempts of one lane with different instants are not made at the same time.

        An attempt without an instant need not wait for others.
        """

    async def run(self) -> bool | None:
        """Make the attempt. Return whether the receiver responded; None if nothing was sent."""


class Lanes:
    """Runs each attempt as an asyncio task when its turn comes.

    A lane contains the attempts of one key to one URL, in order.
    """

    def __init__(self, limits: LaneLimits | None = None) -> None:
        self._limits = limits or LaneLimits()
        self._keys: dict[str, _Key] = {}
        self._ready: deque[_Key] = deque()  # Keys with a lane that may start an attempt.
        self._running: dict[asyncio.Task[None], _Lane] = {}
        self._failing: dict[tuple[str, str], None] = {}  # The latest ones are last.
        self._is_scheduled = False
        self._is_closed = False

    @property
    def running(self) -> int:
        """The number of attempts in progress."""
        return len(self._running)

    @property
    def is_empty(self) -> bool:
        """Whether no attempt waits or is in progress."""
        return not self._keys

    def add(self, key: str, url: str, job: LaneJob) -> None:
        """Run a job when its turn comes. After `close`, it is never run."""
        if self._is_closed:
            return
        lane = self._lane(key, url)
        lane.waiting.append(job)
        self._offer(lane)

    def drop(self, key: str) -> None:
        """Forget the waiting attempts of a key, and cancel those in progress."""
        found = self._keys.get(key)
        if found is None:
            return
        for lane in list(found.lanes.values()):
            lane.waiting.clear()
            self._tidy(lane)
        for task, lane in self._running.items():
            if lane.key is found:
                task.cancel()

    def close(self) -> None:
        """Start no more attempts, and forget those that wait."""
        self._is_closed = True
        self._ready.clear()
        for key in list(self._keys.values()):
            for lane in list(key.lanes.values()):
                lane.waiting.clear()
                self._tidy(lane)

    async def wait(self, timeout_s: float) -> None:
        """Wait for the attempts in progress, at most for this time."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=timeout_s)

    async def cancel(self) -> None:
        """Close, cancel the attempts in progress, and wait for their end."""
        self.close()
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _lane(self, key_name: str, url: str) -> "_Lane":
        key = self._keys.get(key_name)
        if key is None:
            key = self._keys[key_name] = _Key(key_name)
        lane = key.lanes.get(url)
        if lane is None:
            origin_name = _origin(url)
            origin = key.origins.get(origin_name)
            if origin is None:
                origin = key.origins[origin_name] = _Origin(origin_name)
            origin.lanes += 1
            is_failing = (key_name, url) in self._failing
            lane = key.lanes[url] = _Lane(key, origin, url, is_failing=is_failing)
        return lane

    def _offer(self, lane: "_Lane") -> bool:
        """Let a lane take turns if it can start an attempt. Return whether it takes turns."""
        if lane.is_ready or not lane.may_start(self._limits.per_lane):
            return lane.is_ready
        key, origin = lane.key, lane.origin
        if origin.running >= self._limits.per_origin:
            origin.waiting[lane.url] = lane
            return False
        lane.is_ready = True
        origin.waiting.pop(lane.url, None)
        key.ready.append(lane)
        if not key.is_ready:
            key.is_ready = True
            self._ready.append(key)
        self._schedule()
        return True

    def _offer_next(self, origin: "_Origin") -> None:
        """Let the next lane take turns that waits for a place at this origin."""
        while origin.waiting and origin.running < self._limits.per_origin:
            if self._offer(origin.waiting.pop(next(iter(origin.waiting)))):
                return

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._start_some)

    def _start_some(self) -> None:
        """Start the attempts whose turn it is; go on in the next turn of the event loop."""
        self._is_scheduled = False
        starts = passed_over = 0
        while passed_over < len(self._ready):
            free = self._limits.in_all - len(self._running)
            if not free:
                return
            if starts == _STARTS_PER_TURN:
                self._schedule()
                return
            key = self._ready.popleft()
            if key.running >= free:
                self._ready.append(key)  # The key has its share.
                passed_over += 1
                continue
            passed_over = 0
            starts += self._start_one(key)
            key.is_ready = bool(key.ready)
            if key.is_ready:
                self._ready.append(key)

    def _start_one(self, key: "_Key") -> bool:
        """Start an attempt of the lane whose turn it is. Return False if it cannot start one."""
        lane = key.ready.popleft()
        lane.is_ready = False
        origin = lane.origin
        if origin.running >= self._limits.per_origin:
            self._offer(lane)  # It waits for a place at its origin.
            return False
        if not lane.may_start(self._limits.per_lane):  # It began to fail in the meantime.
            self._offer_next(origin)
            return False
        job = lane.waiting.pop(0)
        key.running += 1
        lane.running += 1
        origin.running += 1
        lane.instant_ms = job.instant_ms
        task = asyncio.create_task(self._run(lane, job))
        self._running[task] = lane
        task.add_done_callback(self._ended)
        self._offer(lane)
        return True

    async def _run(self, lane: "_Lane", job: LaneJob) -> None:
        is_answered = await job.run()
        if is_answered is not None:
            self._note_health(lane, is_failing=not is_answered)

    def _note_health(self, lane: "_Lane", *, is_failing: bool) -> None:
        lane.is_failing = is_failing
        name = (lane.key.name, lane.url)
        self._failing.pop(name, None)
        if is_failing:
            self._failing[name] = None
            if len(self._failing) > _MAX_FAILING:
                del self._failing[next(iter(self._failing))]

    def _ended(self, task: asyncio.Task[Any]) -> None:
        lane = self._running.pop(task)
        origin = lane.origin
        lane.key.running -= 1
        lane.running -= 1
        origin.running -= 1
        self._offer_next(origin)
        self._offer(lane)
        self._tidy(lane)
        if self._ready:
            self._schedule()  # A key may have less than its share now.

    def _tidy(self, lane: "_Lane") -> None:
        """Forget a lane without attempts, with its origin and its key if they have no others."""
        if lane.running or lane.waiting:
            return
        key, origin = lane.key, lane.origin
        if key.lanes.pop(lane.url, None) is None:
            return
        origin.waiting.pop(lane.url, None)
        origin.lanes -= 1
        if not origin.lanes:
            del key.origins[origin.name]
        if not key.lanes:
            del self._keys[key.name]


class _Key:
    """The lanes of one API key."""

    __slots__ = ("is_ready", "lanes", "name", "origins", "ready", "running")

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = 0
        self.lanes: dict[str, _Lane] = {}  # The keys of this dict are URLs.
        self.origins: dict[str, _Origin] = {}
        self.ready: deque[_Lane] = deque()  # Lanes that may start an attempt, in order of turns.
        self.is_ready = False  # Whether this key is in the queue of keys.


class _Origin:
    """The lanes of one key whose URLs have the same scheme, host and port."""

    __slots__ = ("lanes", "name", "running", "waiting")

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = 0
        self.lanes = 0
        self.waiting: dict[str, _Lane] = {}  # Lanes that wait for a place at this origin.


class _Lane:
    """The attempts of one key to one URL."""

    __slots__ = (
        "instant_ms",
        "is_failing",
        "is_ready",
        "key",
        "origin",
        "running",
        "url",
        "waiting",
    )

    def __init__(self, key: _Key, origin: _Origin, url: str, *, is_failing: bool) -> None:
        self.key = key
        self.origin = origin
        self.url = url
        self.is_failing = is_failing
        self.running = 0
        self.instant_ms: int | None = None  # All attempts in progress have it.
        self.waiting: list[LaneJob] = []  # Smaller than a deque: most lanes have one attempt.
        self.is_ready = False  # Whether this lane is in the queue of its key.

    def may_start(self, places: int) -> bool:
        """Return whether the next attempt may start; `places` is the limit of a lane."""
        if not self.waiting or self.running >= (1 if self.is_failing else places):
            return False
        instant_ms = self.waiting[0].instant_ms
        return not self.running or instant_ms is None or instant_ms == self.instant_ms


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL, without user and password."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{host}".lower()
