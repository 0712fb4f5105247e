"""A process that uses one sandbox in Redis as fast as it can, and notes calls and returns.

`python -m tests.mock_server.store.redis.worker ADDRESS NAME` waits for a line on its standard
input before each phase, and then writes what it has done as one JSON document.
"""

import asyncio
import random
import sys
import time
from typing import Any

import msgspec

from mock_server.domain.commands import Command, FinishTask, ReadStatus, Submit
from mock_server.domain.planner import PlanRequest
from mock_server.domain.results import Rejection, TaskView
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.submission import Submission
from mock_server.store.redis.store import RedisStore
from tests.mock_server.store.bench import MODEL
from tests.mock_server.store.redis.stores import TEMPLATE, opened

SANDBOX = "0123456789abcdef"
RATE_LIMIT, MAX_CONCURRENT = 90, 5
PHASES = 3
_CLIENTS, _CALLS = 8, 5  # In a phase.


class Call(msgspec.Struct, frozen=True):
    """A command with its outcome: a reason of a rejection, or the id of a task."""

    key: str
    outcome: str
    called_ns: int
    returned_ns: int


def key_of(command: Command[Any]) -> str:
    """Return a text that no other call has."""
    if isinstance(command, Submit):
        return f"submit {command.submission.prompt}"
    if isinstance(command, ReadStatus):
        return f"status {command.task_id}"
    assert isinstance(command, FinishTask)
    return f"finish {command.task_id} {command.fail_message}"


def outcome_of(result: object) -> str:
    if isinstance(result, Rejection):
        return result.reason
    assert isinstance(result, TaskView)
    return result.task.id


class _Client:
    def __init__(self, store: RedisStore, name: str, calls: list[Call]) -> None:
        self._store = store
        self._name = name
        self._calls = calls
        self._dice = random.Random(name)
        self._tasks: list[str] = []

    async def work(self, phase: int) -> None:
        for number in range(_CALLS):
            command = _command(self._dice, f"{self._name}-{phase}-{number}", self._tasks)
            called_ns = time.monotonic_ns()
            result = await self._store.execute(SANDBOX, command)
            returned_ns = time.monotonic_ns()
            if isinstance(command, Submit) and isinstance(result, TaskView):
                self._tasks.append(result.task.id)
            call = Call(key_of(command), outcome_of(result), called_ns, returned_ns)
            self._calls.append(call)


def _command(dice: random.Random, unique: str, tasks: list[str]) -> Command[Any]:
    real_ms = time.time_ns() // 1_000_000
    what = dice.choice(["submit", "submit", "status", "finish"])
    if what == "finish" and tasks:
        return FinishTask(
            real_ms=real_ms, task_id=tasks.pop(), fail_code="NSFW", fail_message=unique
        )
    if what == "status":
        return ReadStatus(real_ms=real_ms, model_id=MODEL.id, task_id=unique)
    return Submit(
        real_ms=real_ms,
        model_id=MODEL.id,
        submission=Submission(prompt=unique, ratio="1:1", num_images=1, callback_url=None),
        plan_request=PlanRequest(is_held=True),
        base_url="http://mock",
    )


async def _work(address: str, name: str) -> list[Call]:
    settings = SandboxSettings(rate_limit=RATE_LIMIT, max_concurrent=MAX_CONCURRENT)
    template = msgspec.structs.replace(TEMPLATE, settings=settings)
    store = await opened(address, template)
    await store.open(SANDBOX, is_broke=False, real_ms=time.time_ns() // 1_000_000)
    calls: list[Call] = []
    clients = [_Client(store, f"{name}-{each}", calls) for each in range(_CLIENTS)]
    for phase in range(PHASES):  # All processes begin a phase at the same time.
        _write("ready")
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(client.work(phase) for client in clients))
    await store.aclose()
    return calls


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _write(msgspec.json.encode(asyncio.run(_work(*sys.argv[1:]))).decode())
