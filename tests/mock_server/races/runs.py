"""Run scripts on a server with each store, and return what should not have happened."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from mock_server.settings import Settings
from tests.mock_server.races.history import History
from tests.mock_server.races.invariants import violations
from tests.mock_server.races.limits import SETTINGS
from tests.mock_server.races.processes import Processes, processes
from tests.mock_server.races.race import race
from tests.mock_server.races.script import Script, draw
from tests.mock_server.races.watched import Watched, eventually, watched

Run = Callable[[Script], list[str]]


@contextmanager
def in_memory(settings: Settings = SETTINGS) -> Iterator[Run]:
    """Serve from this process. Its usage must be the same after each race."""
    with watched(settings) as server:
        asyncio.run(_raced(server, "warm-up", draw(0)))  # It imports modules and opens files.
        server.left_behind()
        prefixes = count()
        yield lambda script: _run_watched(server, f"race-{next(prefixes)}", script)


def with_sqlite(file: Path) -> AbstractContextManager[Run]:
    """Serve from this process, with a store in a file."""
    return in_memory(msgspec.structs.replace(SETTINGS, store=f"sqlite:{file}"))


@contextmanager
def with_redis(address: str) -> Iterator[Run]:
    """Serve from two processes. They restart before the state after a race is read.

    After all races, there must be places for as many tasks as before.
    """
    with processes("--store", address, "--workers", "2") as server:
        prefixes = count()
        yield lambda script: _run_processes(server, f"race-{next(prefixes)}", script)
        statuses = eventually(
            lambda: asyncio.run(server.statuses_at_limit()), lambda each: each == [409, 204]
        )
        assert statuses == [409, 204], "places of tasks are lost"


def _run_watched(server: Watched, prefix: str, script: Script) -> list[str]:
    history = asyncio.run(_raced(server, prefix, script))
    return [*violations(history), *server.left_behind(), *server.take_errors()]


def _raced(server: Watched, prefix: str, script: Script) -> Coroutine[Any, Any, History]:
    target = server.target(prefix)
    return race(target, script, partial(server.until_quiet, target))


def _run_processes(server: Processes, prefix: str, script: Script) -> list[str]:
    history = asyncio.run(race(server.target(prefix), script, partial(server.until_quiet, prefix)))
    history.is_interrupted = server.is_interrupted
    problems = list(server.problems)
    server.problems.clear()
    return [*violations(history), *problems]
