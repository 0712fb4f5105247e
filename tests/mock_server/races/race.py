"""Run a script: many connections at once, then the end of all tasks, and the state."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

import msgspec

from mock_server.domain.snapshot import Snapshot
from tests.mock_server.races.connection import Connection, Request, request
from tests.mock_server.races.ending import Ending
from tests.mock_server.races.history import Exchange, History, Stream
from tests.mock_server.races.progress import Progress
from tests.mock_server.races.receiver import CountingReceiver, listening
from tests.mock_server.races.requests import about_task, submit
from tests.mock_server.races.script import CLIENTS, KEYS, Cut, Kind, Script, Step


@dataclass(frozen=True, slots=True)
class Target:
    host: str
    port: int
    prefix: str  # Of the API keys, so that races on one server do not meet.

    def key(self, number: int) -> str:
        return f"sk-{self.prefix}-{number}"


UntilQuiet = Callable[[], Awaitable[Target]]


async def race(target: Target, script: Script, until_quiet: UntilQuiet) -> History:
    """Let all clients of a script run at the same time; return what they have seen.

    `until_quiet` waits until the server has handled all requests, and returns its address then.
    """
    history = History()
    async with listening() as receiver:
        await Clients(target, script, history, receiver).run()
        target = await until_quiet()
        connection = Connection(target.host, target.port)
        for key in range(KEYS):
            history.ends[key] = await Ending(connection, target.key(key)).end()
        await connection.close()
    history.received = dict(receiver.received)
    return history


class Clients:
    def __init__(
        self, target: Target, script: Script, history: History, receiver: CountingReceiver
    ) -> None:
        self._target = target
        self._script = script
        self._history = history
        self._receiver = receiver
        self._progress = Progress(CLIENTS)
        self._tasks: dict[int, list[str]] = {key: [] for key in range(KEYS)}
        self._exports: list[bytes] = []
        self._results: list[str] = []

    async def run(self) -> None:
        observers = [asyncio.create_task(self._observe(key)) for key in range(KEYS)]
        await asyncio.gather(*(self._client(number) for number in range(CLIENTS)))
        for observer in observers:
            observer.cancel()
        await asyncio.gather(*observers, return_exceptions=True)

    async def _client(self, number: int) -> None:
        connection = Connection(self._target.host, self._target.port)
        try:
            for step in self._script.of_client(number):
                await self._take(step, connection)
                self._progress.note()
        finally:
            await connection.close()
            self._progress.leave()

    async def _take(self, step: Step, connection: Connection) -> None:
        dice = Random(step.dice)
        exchange = self._history.begin(step)
        made = self._request(step, dice, exchange)
        if made is None:
            self._history.exchanges.remove(exchange)
            return
        try:
            if step.cut is None or step.cut is Cut.HALF:
                await self._exchange(made, exchange, connection)
            else:
                await self._interrupt(made, exchange, connection, dice)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            exchange.problem = repr(error)
            await connection.close()

    async def _exchange(self, made: Request, exchange: Exchange, connection: Connection) -> None:
        """Send a request and read the response."""
        await connection.send(made.raw)
        exchange.is_complete = True
        if exchange.step.kind is Kind.EVENTS:
            exchange.status, _ = await connection.receive_head()
            await connection.receive_line()
            await connection.close()
            self._history.end(exchange)
            return
        if exchange.step.cut is Cut.HALF:
            await connection.stop_sending()
        response = await connection.receive()
        if exchange.step.cut is Cut.HALF:
            await connection.close()
        exchange.status, exchange.headers, exchange.body = response
        self._history.end(exchange)
        self._note(exchange)

    async def _interrupt(
        self, made: Request, exchange: Exchange, connection: Connection, dice: Random
    ) -> None:
        """Send a request, or a part of it, and close the connection."""
        cut = exchange.step.cut
        if cut is Cut.HEAD or (cut is Cut.BODY and len(made.raw) == made.head_bytes):
            await connection.send(made.raw[: dice.randrange(1, made.head_bytes)])
        elif cut is Cut.BODY:
            await connection.send(made.raw[: dice.randrange(made.head_bytes, len(made.raw))])
        else:
            exchange.is_complete = True
            await connection.send(made.raw)
            if cut is Cut.LATER:
                await self._progress.wait(dice.randrange(1, 20))
        await (connection.reset() if cut is Cut.RESET else connection.close())

    def _note(self, exchange: Exchange) -> None:
        """Remember tasks and snapshots for other steps."""
        step = exchange.step
        if exchange.status != 200:
            return
        if step.kind is Kind.STATUS:
            found = json.loads(exchange.body)["data"].get("resultJson")
            if found is not None:
                self._results += json.loads(found)["resultUrls"]
        elif step.kind is Kind.SUBMIT:
            self._tasks[step.key].append(json.loads(exchange.body)["data"]["taskId"])
        elif step.kind is Kind.EXPORT:
            self._exports.append(exchange.body)
            snapshot = msgspec.json.decode(exchange.body, type=Snapshot)
            self._history.exports.append((step.key, snapshot))

    def _request(self, step: Step, dice: Random, exchange: Exchange) -> Request | None:
        """Return the request of a step; None if there is nothing yet that it could be about."""
        key = self._target.key(step.key)
        if step.kind is Kind.SUBMIT:
            return submit(step, key, dice, self._receiver)
        if step.kind is Kind.RESULT:
            url = dice.choice(self._results) if self._results else "http://mock/results/x.png"
            return request("GET", urlsplit(url).path, key)
        if step.kind is not Kind.RESTORE:
            return about_task(step, key, dice, self._tasks[step.key])
        if not self._exports:
            return None
        raw = dice.choice(self._exports)
        exchange.restored = msgspec.json.decode(raw, type=Snapshot)
        return request("PUT", "/_mock/sandbox/snapshot", key, raw)

    async def _observe(self, key: int) -> None:
        """Read the events of a sandbox during the whole race."""
        connection = Connection(self._target.host, self._target.port)
        try:
            while True:
                await connection.send(request("GET", "/_mock/events", self._target.key(key)).raw)
                await connection.receive_head()
                await self._read_events(key, connection)
                await connection.close()
        finally:
            await connection.close()

    async def _read_events(self, key: int, connection: Connection) -> None:
        stream = Stream(key)
        self._history.streams.append(stream)
        while line := await connection.receive_line():
            if line.startswith(b"id: "):
                stream.numbers.append(int(line[4:]))
            elif line.startswith((b"event: dropped", b": ")) and stream.numbers:
                stream = Stream(key)
                self._history.streams.append(stream)
