"""What happens in a sandbox, as server-sent events."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from mock_server.control.caller import Callers
from mock_server.control.journal_view import entry_view
from mock_server.control.replies import Refused, resource
from mock_server.domain.journal import Operation
from mock_server.domain.news import Change, News, Recorded
from mock_server.domain.store import Sandbox
from mock_server.domain.task import Task, TaskState, state_at

HEARTBEAT_S = 15.0
MAX_WAITING = 1000  # news that a slow reader has not taken; the oldest are lost
MAX_FOLLOWED = 1000  # live tasks whose transitions are told, the newest


class EventRoutes:
    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._streams: set[_Stream] = set()
        self._is_closed = False

    def close(self) -> None:
        """End all streams and refuse new ones, from any thread: the server is stopping."""
        self._is_closed = True
        for stream in tuple(self._streams):
            stream.end()

    async def stream(self, request: Request) -> StreamingResponse:
        sandbox = await self._callers.sandbox(request)
        if self._is_closed:
            raise Refused(503, "the server is stopping")
        headers = {"Cache-Control": "no-store"}
        events = self._kept(_Stream(sandbox, self._callers))
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _kept(self, stream: "_Stream") -> AsyncIterator[bytes]:
        self._streams.add(stream)
        if self._is_closed:
            stream.end()
        try:
            async for event in stream.events():
                yield event
        finally:
            self._streams.discard(stream)

    def routes(self) -> list[Route]:
        return [resource("/_mock/events", query=("sandbox",), GET=self.stream)]


class _Stream:
    def __init__(self, sandbox: Sandbox, callers: Callers) -> None:
        self._sandbox = sandbox
        self._callers = callers
        self._news: deque[News] = deque(maxlen=MAX_WAITING)
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._is_ended = False
        self._followed: dict[str, tuple[Task, TaskState]] = {}

    def end(self) -> None:
        self._is_ended = True
        self._loop.call_soon_threadsafe(self._woken.set)

    async def events(self) -> AsyncIterator[bytes]:
        sandbox = self._sandbox
        sandbox.watch(self._hear)
        try:
            await self._follow_live_tasks()
            yield b": listening\n\n"
            while not self._is_ended:
                self._woken.clear()
                while self._news:
                    for event in await self._told(self._news.popleft()):
                        yield event
                for event in await self._transitions():
                    yield event
                if not await self._has_news():
                    yield b": still here\n\n"
        finally:
            sandbox.unwatch(self._hear)

    def _hear(self, news: News) -> None:
        self._news.append(news)
        self._woken.set()

    async def _has_news(self) -> bool:
        """Wait for news or the next transition; False when nothing comes for a while."""
        real_ms = self._callers.real_ms()
        due_ms = min(
            (due for task, state in self._followed.values() if (due := _next_ms(task, state))),
            default=None,
        )
        soon_s = await self._sandbox.wait_until_s(due_ms, real_ms)
        pause_s = HEARTBEAT_S if soon_s is None else min(HEARTBEAT_S, soon_s + 0.001)
        try:
            async with asyncio.timeout(pause_s):
                await self._woken.wait()
        except TimeoutError:
            return soon_s is not None and soon_s < HEARTBEAT_S
        return True

    async def _told(self, news: News) -> list[bytes]:
        if isinstance(news, Recorded):
            return await self._recorded(news)
        if news is Change.CLOCK:
            return [_event("clock", await self._sandbox.clock(self._callers.real_ms()))]
        if news is Change.DROPPED:
            self._is_ended = self._sandbox.is_dropped  # whoever asks again gets the new one
            self._followed.clear()
            await self._follow_live_tasks()
        return [] if news is Change.TASK else [_event(news.value, {})]

    async def _recorded(self, news: Recorded) -> list[bytes]:
        entry = news.entry
        view = entry_view(news.number, entry)
        told = [_event("request", view, news.number)]
        if entry.operation is Operation.CALLBACK:
            told.append(_event("callback", view))
        if entry.operation is Operation.SUBMIT and entry.task_id:
            told.append(_event("submit", view))
            seen = await self._sandbox.task(entry.task_id, self._callers.real_ms())
            if seen is not None and len(self._followed) < MAX_FOLLOWED:
                self._followed[entry.task_id] = (seen.task, TaskState.PENDING)
        return told

    async def _transitions(self) -> list[bytes]:
        now_ms = (await self._sandbox.clock(self._callers.real_ms())).now_ms
        told = []
        for task, before in list(self._followed.values()):
            state = state_at(task, now_ms)
            if state is before:
                continue
            told.append(
                _event(
                    "transition", {"task_id": task.id, "from": before, "to": state, "at_ms": now_ms}
                )
            )
            if state.is_final:
                del self._followed[task.id]
            else:
                self._followed[task.id] = (task, state)
        return told

    async def _follow_live_tasks(self) -> None:
        tasks, now_ms = await self._sandbox.tasks(self._callers.real_ms())
        for task in tasks:
            state = state_at(task, now_ms)
            if not state.is_final and len(self._followed) < MAX_FOLLOWED:
                self._followed[task.id] = (task, state)


def _next_ms(task: Task, state: TaskState) -> int | None:
    return task.plan.start_ms if state is TaskState.PENDING else task.plan.end_ms


def _event(kind: str, data: Any, number: int | None = None) -> bytes:
    numbered = b"" if number is None else b"id: %d\n" % number
    return b"%bevent: %b\ndata: %b\n\n" % (numbered, kind.encode(), msgspec.json.encode(data))
