from collections.abc import Iterator

import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.serving import RunningMock, running


@pytest.fixture(scope="session")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=11)) as mock:
        yield mock
