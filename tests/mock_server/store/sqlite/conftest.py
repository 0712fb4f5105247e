"""A process that has a file of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mock_server.store.sqlite.process import Process


@pytest.fixture
def process(tmp_path: Path, runner: asyncio.Runner) -> Iterator[Process]:
    process = Process(str(tmp_path / "state.db"), runner)
    yield process
    process.kill()
