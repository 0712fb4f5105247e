"""What happens in a sandbox, as server-sent events."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable

import msgspec

from mock_server.control.authentication import Authenticator
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.task_follower import TaskFollower
from mock_server.domain.journal import Operation
from mock_server.domain.news import Change, News, Recorded
from mock_server.domain.store import Sandbox

HEARTBEAT_S = 15.0
MAX_WAITING = 1000  # news that a slow reader has not taken; the oldest are lost, and counted
BREATH_S = 0.02  # transitions that fall due within it are told together


class EventStream:
    """What one reader is told of one sandbox."""

    def __init__(
        self,
        sandbox: Sandbox,
        authenticator: Authenticator,
        real_ms: Callable[[], int],
        *,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._sandbox = sandbox
        self._authenticator = authenticator
        self._real_ms = real_ms
        self._heartbeat_s = heartbeat_s
        self._news: deque[News] = deque()
        self._lost = 0
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._is_ended = False
        self._follower = TaskFollower()

    def end(self) -> None:
        self._is_ended = True
        self._loop.call_soon_threadsafe(self._woken.set)

    async def events(self) -> AsyncGenerator[bytes, None]:
        self._sandbox.watch(self._hear)
        try:
            await self._follow_live_tasks()
            yield b": listening\n\n"
            while True:
                self._woken.clear()
                if self._lost:
                    yield await self._caught_up()
                while self._news:
                    for event in await self._told(self._news.popleft()):
                        yield event
                for transition in self._follower.transitions(await self._now_ms()):
                    yield self._event("transition", transition)
                if self._is_ended:
                    return
                if not await self._has_news():
                    yield b": still here\n\n"
        finally:
            self._sandbox.unwatch(self._hear)

    def _hear(self, news: News) -> None:
        if len(self._news) == MAX_WAITING:
            self._news.popleft()
            self._lost += 1
        self._news.append(news)
        self._woken.set()

    async def _has_news(self) -> bool:
        """Wait for news or the next transition; False when nothing comes for a while."""
        due_s = await self._sandbox.wait_until_s(self._follower.next_ms(), self._real_ms())
        pause_s = self._heartbeat_s
        if due_s is not None:
            pause_s = min(pause_s, due_s + BREATH_S)
        try:
            async with asyncio.timeout(pause_s):
                await self._woken.wait()
        except TimeoutError:
            return pause_s < self._heartbeat_s
        return True

    async def _caught_up(self) -> bytes:
        """Say how much the reader has missed, and follow what was submitted meanwhile."""
        lost, self._lost = self._lost, 0
        await self._follow_live_tasks()
        return b": %d older ones are lost\n\n" % lost

    async def _told(self, news: News) -> list[bytes]:
        if isinstance(news, Recorded):
            return await self._recorded(news)
        if news is Change.CLOCK:
            return [self._event("clock", await self._sandbox.clock(self._real_ms()))]
        if news is Change.DROPPED:
            self._is_ended = self._sandbox.is_dropped  # whoever asks again gets the new one
            self._follower.clear()
            await self._follow_live_tasks()
        return [] if news is Change.TASK else [self._event(news.value, {})]

    async def _recorded(self, news: Recorded) -> list[bytes]:
        entry = news.entry
        shown = JournalEntry.of(news.number, entry)
        told = [self._event("request", shown, news.number)]
        if entry.operation is Operation.CALLBACK:
            told.append(self._event("callback", shown))
        if entry.operation is Operation.SUBMIT and entry.task_id:
            told.append(self._event("submit", shown))
            seen = await self._sandbox.task(entry.task_id, self._real_ms())
            if seen is not None:
                self._follower.submitted(seen.task)
        return told

    async def _follow_live_tasks(self) -> None:
        tasks, now_ms = await self._sandbox.tasks(self._real_ms())
        self._follower.found(tasks, now_ms)

    async def _now_ms(self) -> int:
        return (await self._sandbox.clock(self._real_ms())).now_ms

    def _event(self, kind: str, data: object, number: int | None = None) -> bytes:
        """Return one event, in which the key does not stand."""
        shown = self._authenticator.without_key(self._sandbox, msgspec.json.encode(data))
        numbered = b"" if number is None else b"id: %d\n" % number
        return b"%bevent: %b\ndata: %b\n\n" % (numbered, kind.encode(), shown)
