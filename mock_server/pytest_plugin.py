"""The pytest plugin: a mock server for the suite, a sandbox for every test.

It is loaded in every run of pytest where the distribution is installed, so it imports nothing
heavy before a fixture is asked for.
"""

import os
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


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test with the marker use the fixture, whether it asks for it by name or not."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("apixo_mock"):
        names = item.fixturenames
        if "apixo_mock" not in names:
            names.insert(0, "apixo_mock")  # before what reads the environment


@pytest.fixture(scope="session")
def apixo_mock_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a mock server: one in this process, or that of --apixo-mock-url."""
    url = request.config.getoption("--apixo-mock-url")
    if url:
        yield _checked(str(url).rstrip("/"))
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
    `@pytest.mark.apixo_mock(seed=3)` draws another. On a server that runs already other suites
    may have the same test at the same time, so there each run draws anew.
    """
    from mock_server.testing.sandbox import ApixoMock  # noqa: PLC0415  # as above

    begun = _marked(request.node)
    seed, name = begun.pop("seed", 0), request.node.nodeid
    if request.config.getoption("--apixo-mock-url"):
        name = f"{name} {os.urandom(8).hex()}"
    with ApixoMock.begun(apixo_mock_server, seed=seed, name=name) as sandbox:
        if begun:
            sandbox.configure(**begun)
        monkeypatch.setenv("APIXO_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("APIXO_API_KEY", sandbox.api_key)
        request.node.stash[_SANDBOX] = sandbox
        yield sandbox
        del request.node.stash[_SANDBOX]


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
    if sandbox is not None and report.failed:
        report.sections.append(("APIXO mock", _told(sandbox)))
    return report


def _checked(url: str) -> str:
    from mock_server.testing.control import NoMock, find_mock  # noqa: PLC0415  # as above

    try:
        find_mock(url)
    except NoMock as error:
        pytest.fail(f"--apixo-mock-url: {error}", pytrace=False)
    return url


def _marked(item: pytest.Item) -> dict[str, Any]:
    """Put the markers of a test, its class and its module together; the closest goes first."""
    begun: dict[str, Any] = {}
    for marker in item.iter_markers("apixo_mock"):
        if marker.args:
            pytest.fail(
                f"the marker apixo_mock takes names only, such as profile={marker.args[0]!r}",
                pytrace=False,
            )
        begun = {**marker.kwargs, **begun}
    return begun


def _told(sandbox: "ApixoMock") -> str:
    try:
        return sandbox.told()
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not end the whole run
        return f"the mock did not tell what happened: {error!r}"
