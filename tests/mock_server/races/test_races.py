"""Many connections race, and close at any moment: nothing is lost, done twice, or left behind.

A failure names the seed. `python -m tests.mock_server.races SEED --store STORE --shorten` runs it
again, and finds fewer steps that fail.
"""

from collections.abc import Iterator

import pytest

from tests.mock_server.races.runs import Run, in_memory, with_redis, with_sqlite
from tests.mock_server.races.script import draw, draw_cuts
from tests.properties import scale
from tests.redis_server import RedisServer

_DATABASE = 14


@pytest.fixture(scope="module")
def memory() -> Iterator[Run]:
    with in_memory() as run:
        yield run


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with with_sqlite(tmp_path_factory.mktemp("races") / "mock.db") as run:
        yield run


@pytest.fixture(scope="module")
def redis(redis_server: RedisServer) -> Iterator[Run]:
    with with_redis(f"{redis_server.address}?db={_DATABASE}") as run:
        yield run


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, scale(16) + 1))
def test_race_in_memory(memory: Run, seed: int) -> None:
    assert memory(draw(seed)) == []


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(scale(4)))
def test_interrupted_requests_leave_nothing_behind(memory: Run, seed: int) -> None:
    assert memory(draw_cuts(seed)) == []


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, scale(4) + 1))
def test_race_with_sqlite(sqlite: Run, seed: int) -> None:
    assert sqlite(draw(seed)) == []


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, scale(4) + 1))
def test_race_of_two_processes(redis: Run, seed: int) -> None:
    assert redis(draw(seed)) == []


@pytest.mark.deep
@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_many_races_in_memory(memory: Run, seed: int) -> None:
    assert memory(draw(seed)) == []


@pytest.mark.deep
@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1100))
def test_many_races_of_two_processes(redis: Run, seed: int) -> None:
    assert redis(draw(seed)) == []
