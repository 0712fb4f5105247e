"""Both clients as one fixture: a test with `driver` runs for each of them."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.client_reference.driver import Driver
from tests.client_reference.scripted import VirtualTime


@pytest.fixture(scope="session", params=["sync", "async"])
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Make clients; of session scope, so that properties may use it."""
    if request.param == "sync":
        yield Driver(None)
        return
    loop = asyncio.new_event_loop()
    yield Driver(loop)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()
