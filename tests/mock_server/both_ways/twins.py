"""Two servers that differ only in how they serve requests, and one conversation with both.

A server answers most requests straight from the data that arrives: the direct path. Everything
else, and every request of a server without a direct path, takes the ordinary way over ASGI.
Clients must not see a difference. So each server here has the same seed, settings and clock, and
after the same conversation everything is compared that a client, its tester or an operator sees.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import msgspec
import uvicorn

from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.store import Store
from mock_server.server import uvicorn_config
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from mock_server.tls import Tls
from mock_server.wiring import MockServer
from tests.mock_server.both_ways.conversation import Conversation, Outcome
from tests.mock_server.both_ways.server import LogLines, NotingSender, Server, StillClock
from tests.mock_server.both_ways.watching import Watch
from tests.mock_server.e2e.serving import running

MakeStore = Callable[[SandboxTemplate], Store]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Twins:
    """A server with the direct path and one without."""

    direct: Server
    ordinary: Server
    _numbers: Iterator[int] = field(default_factory=count)

    def compare(self, talk: Callable[[Conversation], None], key: str = "") -> tuple[Outcome, int]:
        """Have the same conversation with both and compare all that can be seen.

        Return the outcome, and how many requests were served directly.
        """
        key = key or f"sk-talk-{next(self._numbers)}"
        direct, direct_calls = outcome_of(self.direct, talk, key)
        ordinary, ordinary_calls = outcome_of(self.ordinary, talk, key)
        for name in Outcome.__dataclass_fields__:  # The first difference is the shortest to read.
            one, other = getattr(direct, name), getattr(ordinary, name)
            assert one == other, f"{name} of the direct path: {one}\nof the other: {other}"
        return direct, ordinary_calls - direct_calls


def outcome_of(
    server: Server, talk: Callable[[Conversation], None], key: str
) -> tuple[Outcome, int]:
    """Return what comes of a conversation, and how many of its requests took the ordinary way."""
    metrics = server.metrics()
    lines = len(server.lines.lines)
    conversation = Conversation(server, key)
    try:
        talk(conversation)
        return conversation.outcome(metrics, lines), conversation.calls
    finally:
        conversation.close()


@contextmanager
def twins(settings: Settings, make_store: MakeStore = MemoryStore) -> Iterator[Twins]:
    """Serve both ways with these settings, a fixed seed and a clock that stands still.

    The server with the direct path has a store of this kind; the other one has it in memory.
    """
    with ExitStack() as servers:
        yield Twins(
            direct=servers.enter_context(_serving(settings, make_store, is_direct=True)),
            ordinary=servers.enter_context(_serving(settings, MemoryStore, is_direct=False)),
        )


@contextmanager
def _serving(settings: Settings, make_store: MakeStore, *, is_direct: bool) -> Iterator[Server]:
    watch, clock, lines = Watch(), StillClock(), LogLines()
    sender = NotingSender(watch)

    def configure(app: MockServer, tls: Tls | None) -> uvicorn.Config:
        app._responder._sleep = _sleep_at_once
        lines.thread = f"mock on {app.settings.port}"
        return watch.install(uvicorn_config(app, tls, is_direct=is_direct))

    settings = msgspec.structs.replace(settings, seed=7)
    logging.getLogger().addHandler(lines)
    try:
        make = partial(MockServer, clock=clock, sender=sender, make_store=make_store)
        with running(settings, make=make, configure=configure) as mock:
            yield Server(mock=mock, watch=watch, clock=clock, sender=sender, lines=lines)
    finally:
        logging.getLogger().removeHandler(lines)


async def _sleep_at_once(seconds: float) -> None:
    """Spend no time on the latency of a rule."""
    await asyncio.sleep(0)
