"""The pytest plugin: a mock server for the suite, a sandbox for every test.

It is loaded in every run of pytest where the distribution is installed, so it imports nothing
heavy before a fixture is asked for.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_server.testing.receiver import CallbackReceiver
    from mock_server.testing.sandbox import ApixoMock

_SANDBOX = pytest.StashKey["ApixoMock"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("apixo")
    group.addoption(
        "--apixo-mock-url",
        metavar="URL",
        help="use the mock server that runs there, instead of one in this process",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "apixo_mock(profile=None, seed=0, **settings): how the sandbox of this test begins",
    )


@pytest.fixture(scope="session")
def apixo_mock_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a mock server: one in this process, or that of --apixo-mock-url."""
    url = request.config.getoption("--apixo-mock-url")
    if url:
        yield str(url).rstrip("/")
        return
    import mock_server  # noqa: PLC0415  # only who asks for it pays for it

    with mock_server.running() as server:
        yield server.base_url


@pytest.fixture
def apixo_mock(
    apixo_mock_server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator["ApixoMock"]:
    """Give the test a sandbox of its own, on a manual clock.

    APIXO_BASE_URL and APIXO_API_KEY point there. The same test draws the same chance every time;
    `@pytest.mark.apixo_mock(seed=3)` draws another.
    """
    from mock_server.testing.sandbox import ApixoMock  # noqa: PLC0415  # as above

    marker = request.node.get_closest_marker("apixo_mock")
    begun: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    seed = begun.pop("seed", 0)
    with ApixoMock.begun(apixo_mock_server, seed=seed, name=request.node.nodeid) as sandbox:
        if begun:
            sandbox.configure(**begun)
        monkeypatch.setenv("APIXO_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("APIXO_API_KEY", sandbox.api_key)
        request.node.stash[_SANDBOX] = sandbox
        yield sandbox


@pytest.fixture
def apixo_callback_receiver() -> Iterator["CallbackReceiver"]:
    """Give the test a receiver of callbacks on the loopback address."""
    from mock_server.testing.receiver import CallbackReceiver  # noqa: PLC0415  # as above

    with CallbackReceiver.listening() as receiver:
        yield receiver


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    sandbox = item.stash.get(_SANDBOX, None)
    if sandbox is not None and report.when == "call" and report.failed:
        report.sections.append(("APIXO mock", sandbox.told()))
    return report
