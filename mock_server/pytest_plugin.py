"""The pytest plugin: a mock server for the suite and a sandbox for each test.

pytest loads it in every run where the distribution is installed. It therefore imports nothing
slow before a test uses a fixture.
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
        help="Use the mock server at this URL instead of starting one in the test process.",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "apixo_mock(profile=None, seed=0, **settings): configure the sandbox of this test",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Make every test with the marker use the fixture."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("apixo_mock"):
        names = item.fixturenames
        if "apixo_mock" not in names:
            names.insert(0, "apixo_mock")  # Other fixtures may read the environment it sets.


@pytest.fixture(scope="session")
def apixo_mock_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a mock server: one in this process, or the one of --apixo-mock-url."""
    url = request.config.getoption("--apixo-mock-url")
    if url:
        yield _require_mock(str(url).rstrip("/"))
        return
    import mock_server  # noqa: PLC0415  # It is slow to import.

    with mock_server.running() as server:
        yield server.base_url


@pytest.fixture
def apixo_mock(
    apixo_mock_server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator["ApixoMock"]:
    """Return a new sandbox with a manual clock for this test.

    APIXO_BASE_URL and APIXO_API_KEY point to it. Each run of a test gets the same outcomes;
    `@pytest.mark.apixo_mock(seed=3)` gives different ones. On a server at --apixo-mock-url each
    run differs, because another suite may run the same test there at the same time.
    """
    from mock_server.testing.sandbox import ApixoMock  # noqa: PLC0415  # It is slow to import.

    settings = _marker_settings(request.node)
    seed, name = settings.pop("seed", 0), request.node.nodeid
    if request.config.getoption("--apixo-mock-url"):
        name = f"{name} {os.urandom(8).hex()}"
    with ApixoMock.begun(apixo_mock_server, seed=seed, name=name) as sandbox:
        if settings:
            sandbox.configure(**settings)
        monkeypatch.setenv("APIXO_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("APIXO_API_KEY", sandbox.api_key)
        request.node.stash[_SANDBOX] = sandbox
        yield sandbox
        del request.node.stash[_SANDBOX]


@pytest.fixture
def apixo_callback_receiver() -> Iterator["CallbackReceiver"]:
    """Return a callback receiver on the loopback address for this test."""
    from mock_server.testing.receiver import CallbackReceiver  # noqa: PLC0415  # It is slow to import.

    with CallbackReceiver.listening() as receiver:
        yield receiver


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    sandbox = item.stash.get(_SANDBOX, None)
    if sandbox is not None and report.failed:
        report.sections.append(("APIXO mock", _timeline(sandbox)))
    return report


def _require_mock(url: str) -> str:
    """Return the URL; fail the test if no mock server answers there."""
    from mock_server.testing.control import MockNotFound, require_mock  # noqa: PLC0415

    try:
        require_mock(url)
    except MockNotFound as error:
        pytest.fail(f"--apixo-mock-url: {error}", pytrace=False)
    return url


def _marker_settings(item: pytest.Item) -> dict[str, Any]:
    """Return the arguments of all markers; the closest to the test takes precedence."""
    settings: dict[str, Any] = {}
    for marker in item.iter_markers("apixo_mock"):
        if marker.args:
            pytest.fail(
                "pytest.mark.apixo_mock: must have keyword arguments only"
                f" (got {marker.args[0]!r}); use profile={marker.args[0]!r}",
                pytrace=False,
            )
        settings = {**marker.kwargs, **settings}
    return settings


def _timeline(sandbox: "ApixoMock") -> str:
    try:
        return sandbox.format_timeline()
    except Exception as error:  # noqa: BLE001  # No error may end the whole run of pytest.
        return f"the timeline is not available: {error!r}"
