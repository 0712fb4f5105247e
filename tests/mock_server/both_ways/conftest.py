"""Pairs of servers, one for each group of settings that changes how requests are served."""

from collections.abc import Iterator
from typing import cast

import pytest

from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.both_ways.stepped import WAYS, Way
from tests.mock_server.both_ways.twins import Twins
from tests.mock_server.both_ways.twins import twins as serving_twins


@pytest.fixture(scope="session")
def twins() -> Iterator[Twins]:
    """Serve both ways with the defaults, without a line for each request."""
    with serving_twins(Settings(log_level="warning")) as twins:
        yield twins


@pytest.fixture(scope="session")
def twins_of(request: pytest.FixtureRequest) -> Iterator[Twins]:
    """Serve both ways, the direct one with the kind of store that is the parameter."""
    with serving_twins(Settings(log_level="warning"), request.param) as twins:
        yield twins


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def way(request: pytest.FixtureRequest) -> Way:
    return cast("Way", request.param)


DURABLE = {name: way for name, way in WAYS.items() if way.make_store is not MemoryStore}


@pytest.fixture(params=list(DURABLE.values()), ids=list(DURABLE))
def durable_way(request: pytest.FixtureRequest) -> Way:
    return cast("Way", request.param)
