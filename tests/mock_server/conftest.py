"""A mock server on a socket, a client with a key of its own, and callback receivers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256

import pytest

from mock_server.domain.api_key import MAX_KEY_LENGTH
from mock_server.settings import Settings
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.receiver import Receiver, receiving
from tests.mock_server.e2e.serving import RunningMock, running

MakeReceiver = Callable[[], Receiver]
Serve = Callable[[Settings], RunningMock]


@pytest.fixture(scope="session")
def mock() -> Iterator[RunningMock]:
    """Serve with the defaults, but time that stands still; every test brings its own key."""
    with running(Settings(clock="manual", seed=7)) as mock:
        yield mock


@pytest.fixture(scope="session")
def secure_mock() -> Iterator[RunningMock]:
    """Serve like `mock`, with TLS."""
    with running(Settings(clock="manual", seed=7, tls=True)) as mock:
        yield mock


@pytest.fixture
def api(mock: RunningMock, request: pytest.FixtureRequest) -> Iterator[Api]:
    yield from _with_sandbox(mock.api(_key_of(request)))


@pytest.fixture
def other_api(mock: RunningMock, request: pytest.FixtureRequest) -> Iterator[Api]:
    yield from _with_sandbox(mock.api(f"{_key_of(request)}-other"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start further servers, with other settings."""
    with ExitStack() as servers:
        yield lambda settings: servers.enter_context(running(settings))


@pytest.fixture
def make_receiver() -> Iterator[MakeReceiver]:
    with ExitStack() as receivers:
        yield lambda: receivers.enter_context(receiving())


@pytest.fixture
def receiver(make_receiver: MakeReceiver) -> Receiver:
    return make_receiver()


def _with_sandbox(api: Api) -> Iterator[Api]:
    """Leave nothing behind that would go on by itself."""
    yield api
    assert api.control("DELETE", "sandbox").status_code == 204


def _key_of(request: pytest.FixtureRequest) -> str:
    """Return a key that no other test uses, the same in every run."""
    node_id: str = request.node.nodeid
    key = "sk-" + node_id.encode().hex()
    return key if len(key) <= MAX_KEY_LENGTH else f"sk-{sha256(key.encode()).hexdigest()}"
