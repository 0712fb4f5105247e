"""Many connections race, and close at any moment: nothing is lost, done twice, or left behind.

A failure names the seed. `python -m tests.mock_server.races SEED --store STORE --shorten` runs it
again, and finds fewer steps that fail.
"""

from collections.abc import Iterator

import pytest

from tests.mock_server.races.runs import Run, in_memory, with_redis, with_sqlite
from tests.mock_server.races.script import draw, draw_cuts
from tests.properties import is_deep, scale
from tests.redis_server import RedisServer

_DATABASE = 14
_is_many = pytest.mark.skipif(
    not is_deep(), reason="`make test-deep` tries hundreds of races, `make test` a few"
)


@pytest.fixture(scope="module")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Serve with one store. It is closed before another one is opened.

    Otherwise, a race in memory would count the descriptors of the other server as its own.
    """
    match request.param:
        case "sqlite":
            server = with_sqlite(tmp_path_factory.mktemp("races") / "mock.db")
        case "redis":
            redis: RedisServer = request.getfixturevalue("redis_server")
            server = with_redis(f"{redis.address}?db={_DATABASE}")
        case _:
            server = in_memory()
    with server as started:
        yield started


def with_store(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("run", [name], indirect=True)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, scale(16) + 1))
@with_store("memory")
def test_race_in_memory(run: Run, seed: int) -> None:
    assert run(draw(seed)) == []


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(scale(4)))
@with_store("memory")
def test_interrupted_requests_leave_nothing_behind(run: Run, seed: int) -> None:
    assert run(draw_cuts(seed)) == []


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, scale(4) + 1))
@with_store("sqlite")
def test_race_with_sqlite(run: Run, seed: int) -> None:
    assert run(draw(seed)) == []


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, scale(4) + 1))
@with_store("redis")
def test_race_of_two_processes(run: Run, seed: int) -> None:
    assert run(draw(seed)) == []


@pytest.mark.deep
@pytest.mark.long
@_is_many
@pytest.mark.parametrize("seed", range(1000, 1300))
@with_store("memory")
def test_many_races_in_memory(run: Run, seed: int) -> None:
    assert run(draw(seed)) == []


@pytest.mark.deep
@pytest.mark.long
@_is_many
@pytest.mark.parametrize("seed", range(1000, 1100))
@with_store("redis")
def test_many_races_of_two_processes(run: Run, seed: int) -> None:
    assert run(draw(seed)) == []
