from collections.abc import Iterator
from itertools import count

import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock, running

_numbers = count(1)


@pytest.fixture(scope="session")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=11)) as mock:
        yield mock


@pytest.fixture
def api(mock: RunningMock) -> Api:
    """Return what a client with a key of its own says."""
    return mock.api(f"key-of-rules-{next(_numbers)}")
