"""One suite for every store: another store is another parameter of `new_bench`."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.store import Store
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.store.bench import CATALOGUE, Bench, NewBench


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        yield runner


@pytest.fixture(scope="session", params=[pytest.param(MemoryStore, id="memory")])
def new_bench(request: pytest.FixtureRequest, runner: asyncio.Runner) -> NewBench:
    make_store: Callable[..., Store] = request.param

    def new(
        *,
        seed: int = 7,
        max_tasks: int = 1_000_000,
        max_sandboxes: int = 1_000,
        clock: ClockSettings | None = None,
        **settings: Any,
    ) -> Bench:
        store = make_store(
            SandboxTemplate(
                seed=seed,
                settings=SandboxSettings(**settings),
                clock=clock or ClockSettings(),
                models=CATALOGUE.models,
                fail_messages=CATALOGUE.fail_messages,
            ),
            max_tasks=max_tasks,
            max_sandboxes=max_sandboxes,
        )
        return Bench(store, runner)

    return new
