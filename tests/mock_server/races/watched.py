"""A server in this process, and how much it has in progress or has stored."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from mock_server.server import uvicorn_config
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from mock_server.tls import Tls
from mock_server.wiring import MockServer
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.races.connection import Connection, request
from tests.mock_server.races.race import Target
from tests.patience import PATIENCE_S

_LOOK_EVERY_S = 0.002


@dataclass
class Watched:
    """A running server with its event loop and the state of its HTTP server."""

    mock: RunningMock
    loop: asyncio.AbstractEventLoop
    http: Any  # uvicorn's `ServerState`.
    errors: list[str]
    _least: dict[str, int] = field(default_factory=dict)

    def target(self, prefix: str) -> Target:
        host, _, port = self.mock.host.partition(":")
        return Target(host, int(port), prefix)

    def delete_all(self) -> None:
        """Delete all sandboxes."""
        httpx.delete(f"{self.mock.url}/_mock/sandboxes", trust_env=False).raise_for_status()

    async def until_quiet(self, target: Target) -> Target:
        """Wait until the server has handled all requests and closed their connections."""
        connection = Connection(target.host, target.port)
        await connection.send(request("GET", "/_mock/health", "sk").raw)
        await connection.receive()  # Earlier connections were accepted before this one.
        await connection.close()
        async with asyncio.timeout(PATIENCE_S):
            while self.http.connections or self.http.tasks:  # noqa: ASYNC110  # in another thread
                await asyncio.sleep(_LOOK_EVERY_S)
        held = [
            each.id for each in self._store._sandboxes.values() if each.clock_holder is not None
        ]
        if held:
            self.errors.append(f"the clocks of {held} are held, and no call is in progress")
        return target

    def in_progress(self) -> dict[str, int]:
        """Return what the server has in progress, which is nothing when all is done."""
        dispatcher, store = self.mock.app._dispatcher, self._store
        return {
            "connections": len(self.http.connections),
            "activities": len(dispatcher._activities),
            "rounds": len(dispatcher._rounds),
            "attempts": dispatcher._lanes.running,
            "keys with lanes": len(dispatcher._lanes._keys),
            "followers": len(store._followers),
            "owners of claims or clocks": self._owners(),
            "more descriptors than before": self._more("descriptors", _descriptors()),
            "more tasks than before": self._more("tasks", len(asyncio.all_tasks(self.loop))),
        }

    @property
    def _store(self) -> MemoryStore:
        store = self.mock.app._store
        assert isinstance(store, MemoryStore)
        return store

    def _owners(self) -> int:
        return sum(len(sandbox.claim_owners()) for sandbox in self._store._sandboxes.values())

    def _more(self, name: str, number: int) -> int:
        """Return how much a number is above its least value."""
        least = self._least[name] = min(number, self._least.get(name, number))
        return number - least

    def stored(self) -> dict[str, int]:
        """Return what the server has stored, which is nothing when all is deleted."""
        store = self._store
        return {
            "sandboxes": len(store._sandboxes),
            "epochs": len(store._epochs),
            "places of tasks": store._bound.count,
            "bytes of journals": store._journal_bytes,
        }

    def left_behind(self) -> list[str]:
        """Return what is still in progress; delete all, and return what is still stored."""
        usage = eventually(self.in_progress, lambda usage: not any(usage.values()))
        self.delete_all()
        return [f"{number} {name}" for name, number in (usage | self.stored()).items() if number]

    def take_errors(self) -> list[str]:
        """Return the errors that the server has logged since the last call."""
        errors, self.errors[:] = list(self.errors), []
        return errors


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def eventually(look: Callable[[], Any], is_met: Callable[[Any], bool]) -> Any:
    """Return what is seen as soon as the condition is met, or after a long time."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_met(seen := look()) and time.monotonic() < deadline_s:
        time.sleep(_LOOK_EVERY_S)
    return seen


@contextmanager
def watched(settings: Settings) -> Iterator[Watched]:
    """Serve with these settings in a thread of this process."""
    states: list[Any] = []
    loops: list[asyncio.AbstractEventLoop] = []

    def configure(app: MockServer, tls: Tls | None) -> uvicorn.Config:
        config = uvicorn_config(app, tls)
        make: Any = config.http

        def make_watched(*args: Any, **kwargs: Any) -> asyncio.Protocol:
            states.append(kwargs["server_state"])
            loops.append(asyncio.get_running_loop())
            protocol: asyncio.Protocol = make(*args, **kwargs)
            return protocol

        config.http = make_watched  # type: ignore[assignment]  # uvicorn only calls it
        return config

    with running(settings, configure=configure) as mock:
        mock.http.close()  # Its connection would be one that is always open.
        errors = _Errors()
        logging.getLogger().addHandler(errors)
        try:
            yield Watched(mock, loops[0], states[0], errors.texts)
        finally:
            logging.getLogger().removeHandler(errors)


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))
