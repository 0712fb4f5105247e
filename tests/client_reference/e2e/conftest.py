"""Both clients against the real mock over a socket, with time that their sleeping moves."""

from collections.abc import Callable, Iterator

import pytest

from client_reference import Client
from mock_server.settings import Settings
from tests.client_reference.driver import Driver
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock, running

MakeClient = Callable[..., Client]


class MockTime:
    """The clock of the sandbox: sleeping advances it, so all that falls due has happened."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.slept_s = 0.0

    def clock(self) -> float:
        return self._api.now_ms() / 1000

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self._api.advance(seconds)


@pytest.fixture(scope="session")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=11)) as mock:
        yield mock


@pytest.fixture
def api(mock: RunningMock, request: pytest.FixtureRequest) -> Iterator[Api]:
    """Look at the sandbox of the test's own key, and control it."""
    node_id: str = request.node.nodeid
    api = mock.api("sk-" + node_id.encode().hex())
    yield api
    assert api.control("DELETE", "sandbox").status_code == 204


@pytest.fixture
def time(api: Api) -> MockTime:
    return MockTime(api)


@pytest.fixture
def make_client(
    driver: Driver, mock: RunningMock, api: Api, time: MockTime
) -> Iterator[MakeClient]:
    made: list[Client] = []

    def make(api_key: str | None = None) -> Client:
        made.append(driver.over(None, time, api_key or api.key, mock.url))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()
