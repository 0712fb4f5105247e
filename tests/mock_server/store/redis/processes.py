"""Processes of one mock, whose background work a test does by hand."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias, cast

from redis.exceptions import ConnectionError as RedisConnectionError

from mock_server.store.redis.client import Client, Command, Reply
from mock_server.store.redis.keys import process_key
from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.bench import START_MS, Bench, Key
from tests.redis_server import RedisServer

LEASE_MS = 15_000
Fault: TypeAlias = Literal["commands are lost", "replies are lost"]


class Clock:
    """The real clock of the machine, which a test moves."""

    def __init__(self) -> None:
        self.real_ms = START_MS

    def now_ns(self) -> int:
        return self.real_ms * 1_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns()

    def shift(self, by_ms: int) -> None:
        self.real_ms += by_ms


class Line:
    """The line from a process to Redis, which a test cuts after a number of commands."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.sent = 0
        self.cut_after: int | None = None
        self.cuts_pipelines = True  # Otherwise it cuts between them.
        self.fault: Fault | None = None  # It happens to the next commands for a log, once.
        self.then: Callable[[], Awaitable[None]] | None = None  # What happens next, once.

    async def replies(self, commands: Sequence[Command], first: int = 0) -> list[Reply]:
        if self.cut_after is not None and self.sent + len(commands) > self.cut_after:
            some = commands[: max(0, self.cut_after - self.sent) * self.cuts_pipelines]
            self.sent = self.cut_after
            if some:
                await self._client.replies(some)
            raise RedisConnectionError("the line is cut")
        self.sent += len(commands)
        fault, self.fault = self.fault, None
        if fault is not None and not any(command[0] == "XADD" for command in commands):
            fault, self.fault = None, fault
        if fault == "commands are lost":
            raise RedisConnectionError(fault)
        found = await self._client.replies(commands, first)
        if fault == "replies are lost":
            raise RedisConnectionError(fault)
        if self.then is not None:
            then, self.then = self.then, None
            await then()
        return found

    async def aclose(self) -> None:
        await self._client.aclose()


class Process:
    """A process of the mock: its store, and the sandboxes that it was woken for."""

    def __init__(self, store: RedisStore, server: RedisServer, runner: asyncio.Runner) -> None:
        self.store = store
        self.woken: list[str] = []
        self.bench = Bench(store, runner)
        self.line = Line(store._connection._client)
        cast("Any", store._connection)._client = self.line
        self._server = server
        self._run = runner.run
        store.when_due(self.woken.append)

    def die(self) -> None:
        """Let the lease end, as if the process were gone."""
        self._run(self._server.send("DEL", process_key(self.store.owner)))

    def renew(self) -> None:
        """Show that the process is alive."""
        self._run(self.store._processes.renew())

    def look(self) -> list[str]:
        """Look at what is overdue now; return the sandboxes with due callbacks."""
        self.woken.clear()
        self._run(self.store._watch.look())
        return self.woken

    def tidy(self) -> None:
        self._run(self.store._housekeeping.tidy())

    def renew_places(self) -> None:
        self._run(self.store._housekeeping.renew_places())


class NewProcess(Protocol):
    def __call__(self, **options: Any) -> Process:
        """Start a process, with options of its store."""


def pass_time(clock: Clock, key: Key, milliseconds: int) -> None:
    clock.real_ms += milliseconds
    key._bench.real_ms += milliseconds
