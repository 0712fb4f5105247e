"""Pairs of servers, one for each group of settings that changes how requests are served."""

from collections.abc import Iterator

import pytest

from mock_server.settings import Settings
from tests.mock_server.both_ways.twins import Twins
from tests.mock_server.both_ways.twins import twins as serving_twins


@pytest.fixture(scope="session")
def twins() -> Iterator[Twins]:
    """Serve both ways with the defaults, without a line for each request."""
    with serving_twins(Settings(log_level="warning")) as twins:
        yield twins
