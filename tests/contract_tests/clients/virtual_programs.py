"""Client programs that run in virtual time: in this process, with a clock of the sandbox."""

import asyncio
import builtins
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from types import ModuleType, SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from mock_server.testing.job import Job
from tests.contract_tests.clients.corpus import Program, good_programs

# These wait in other ways: in another process, or for a condition with a timeout.
_IN_REAL_TIME: Final = frozenset(
    {"agent-with-tool", "callback-and-polling", "callback-http-server"}
)


def virtual_programs() -> list[Program]:
    """Return the good Python programs whose waits are those of `time` and `asyncio`."""
    return [
        each
        for each in good_programs()
        if each.path.suffix == ".py" and each.name not in _IN_REAL_TIME
    ]


def in_virtual_time(program: Program) -> Callable[[Job], None]:
    """Return a function that runs a program as `python PROGRAM ARGUMENTS` would."""
    code = compile(program.path.read_text(encoding="utf-8"), program.path.name, "exec")

    def run(job: Job) -> None:
        modules = {"time": _time(job), "asyncio": _asyncio(job)}
        words = [program.path.name, *job.words(program.arguments)]
        names = {"__name__": "__main__", "__builtins__": _builtins(modules)}
        with patch.object(sys, "argv", words):
            exec(code, names)  # A program of this folder.

    run.__name__ = program.name
    return run


def _builtins(modules: Mapping[str, object]) -> dict[str, Any]:
    """Return the builtins for a program, whose imports find these modules first."""

    def find(name: str, *more: Any) -> object:
        return modules[name] if name in modules else builtins.__import__(name, *more)

    return {**vars(builtins), "__import__": find}


def _time(job: Job) -> object:
    return SimpleNamespace(
        **{**vars(time), "sleep": job.sleep, "time": job.clock, "monotonic": job.clock}
    )


def _asyncio(job: Job) -> object:
    """Return asyncio with waits and time limits of the sandbox's clock."""
    end_s = ContextVar[float]("end_s", default=float("inf"))

    async def sleep(seconds: float) -> None:
        await job.sleep_async(seconds)
        if job.clock() > end_s.get():
            raise TimeoutError

    @asynccontextmanager
    async def timeout(seconds: float) -> AsyncIterator[None]:
        token = end_s.set(job.clock() + seconds)
        yield
        end_s.reset(token)

    async def wait_for(awaitable: Awaitable[object], seconds: float) -> object:
        async with timeout(seconds):
            return await awaitable

    virtual = ModuleType("asyncio")
    vars(virtual).update(vars(asyncio), sleep=sleep, timeout=timeout, wait_for=wait_for)
    return virtual
