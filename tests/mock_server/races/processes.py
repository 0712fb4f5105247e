"""Servers as processes of their own. They restart before the state after the race is read."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from mock_server.domain.snapshot import Snapshot
from tests.mock_server.cli.commands import Started, started
from tests.mock_server.e2e.api import SUBMIT
from tests.mock_server.races.connection import Connection, Response, request
from tests.mock_server.races.limits import MAX_CONCURRENT, RATE
from tests.mock_server.races.race import Target

_MAX_TASKS = 900  # Below 1,000, processes reserve no places in advance.
_SETTINGS = (
    *("--clock", "manual", "--seed", "7", "--log-level", "warning"),
    *("--max-concurrent", str(MAX_CONCURRENT), "--rate-limit", str(RATE)),
    *("--max-tasks", str(_MAX_TASKS)),
)


class Processes:
    """The processes of one server. `problems` are errors that they have logged."""

    def __init__(self, stack: ExitStack, arguments: tuple[str, ...]) -> None:
        self.problems: list[str] = []
        self.is_interrupted = False  # Whether the last stop has interrupted callback attempts.
        self._stack = stack
        self._arguments = arguments
        self._server = self._start()

    def target(self, prefix: str) -> Target:
        return Target(*self._server.address, prefix)

    async def until_quiet(self, prefix: str) -> Target:
        """Stop the server, so that all requests are handled, and start it again."""
        await asyncio.to_thread(self.stop)  # The receiver of callbacks works meanwhile.
        self._server = await asyncio.to_thread(self._start)
        return self.target(prefix)

    async def statuses_at_limit(self) -> list[int]:
        """Delete everything, and restore snapshots with one task too many, and with the most."""
        target = self.target("")
        connection = Connection(target.host, target.port)

        async def answer(method: str, path: str, body: bytes | None = None) -> Response:
            await connection.send(request(method, path, "sk-places", body).raw)
            return await connection.receive()

        await answer("POST", SUBMIT, b'{"input": {"prompt": "[[mock hold]]"}}')
        taken = (await answer("GET", "/_mock/sandbox/snapshot")).body
        snapshot = msgspec.json.decode(taken, type=Snapshot)
        statuses = []
        for number in (_MAX_TASKS + 1, _MAX_TASKS):
            await answer("DELETE", "/_mock/sandboxes")
            raw = msgspec.json.encode(_with_tasks(snapshot, number))
            statuses.append((await answer("PUT", "/_mock/sandbox/snapshot", raw)).status)
        await answer("DELETE", "/_mock/sandboxes")
        await connection.close()
        return statuses

    def stop(self) -> None:
        """Stop the server and note what it has logged."""
        status, _, log = self._server.stop(signal.SIGTERM)
        self.is_interrupted = "attempts interrupted by shutdown" in log
        if status or " ERROR " in log or "Traceback" in log:
            self.problems.append(f"exit status {status}: {log}")

    def _start(self) -> Started:
        return self._stack.enter_context(started(*_SETTINGS, *self._arguments))


@contextmanager
def processes(*arguments: str) -> Iterator[Processes]:
    with ExitStack() as stack:
        yield Processes(stack, arguments)


def _with_tasks(snapshot: Snapshot, number: int) -> Snapshot:
    """Return a snapshot with so many tasks like the one that it has."""
    [task] = snapshot.tasks
    tasks = [
        msgspec.structs.replace(task, id=f"task_{snapshot.origin}{ordinal:016x}", ordinal=ordinal)
        for ordinal in range(1, number + 1)
    ]
    return msgspec.structs.replace(snapshot, tasks=tasks, ordinal=number)
