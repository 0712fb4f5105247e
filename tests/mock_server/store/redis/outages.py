"""What tests do while Redis cannot be used."""

import asyncio

import pytest

from mock_server.domain.errors import StoreUnavailable
from tests.mock_server.store.bench import HELD, Bench, Key
from tests.patience import PATIENCE_S


def fail(key: Key) -> str:
    """Submit a task that must fail; return why."""
    with pytest.raises(StoreUnavailable) as failed:
        key.submit(HELD)
    return str(failed.value)


def wait_until_available(bench: Bench) -> None:
    async def wait() -> None:
        async with asyncio.timeout(PATIENCE_S):
            while bench.store.problem is not None:  # noqa: ASYNC110  # It has no event.
                await asyncio.sleep(0.01)

    bench.run(wait())
