"""The page of a sandbox in a browser, on a server of the module's own."""

from collections.abc import Iterator
from itertools import count

import pytest
from selenium import webdriver

from mock_server.settings import Settings
from tests import browser
from tests.mock_server.dashboard.looking import until
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock, running

_numbers = count(1)


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=5)) as mock:
        yield mock


@pytest.fixture
def api(mock: RunningMock) -> Api:
    return mock.api(f"key-of-dashboard-{next(_numbers)}")


@pytest.fixture
def page(chromium: webdriver.Chrome, mock: RunningMock, api: Api) -> Iterator[webdriver.Chrome]:
    """Open the page of the sandbox; it must call no other host and log no error."""
    browser.resized(chromium, 1200)
    chromium.get(f"{mock.url}/_mock/?sandbox={api.told('GET', 'sandbox')['id']}")
    until(chromium, "#now", "20")
    yield chromium
    assert browser.complaints(chromium) == []
    assert {url.split("/")[2] for url in browser.requested(chromium)} == {mock.host}
