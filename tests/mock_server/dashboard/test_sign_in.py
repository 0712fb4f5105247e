"""The sign-in in a real browser, on a server that can be reached from other machines."""

from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from mock_server.settings import Settings
from tests import browser
from tests.mock_server.dashboard.looking import until
from tests.mock_server.e2e.serving import RunningMock, running

TOKEN = "the-admin-token"


@pytest.fixture(scope="module")
def with_token() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", admin_token=TOKEN), host="0.0.0.0") as mock:
        yield mock


@pytest.fixture(scope="module")
def without_token() -> Iterator[RunningMock]:
    with running(Settings(clock="manual"), host="0.0.0.0") as mock:
        yield mock


def sign_in(page: webdriver.Chrome, mock: RunningMock, field: str, value: str) -> None:
    page.get(f"{mock.url}/_mock/")
    page.find_element(By.ID, field).send_keys(value)
    page.find_element(By.CSS_SELECTOR, f"form:has(#{field}) button").click()


def test_browser_signs_in_with_an_api_key_and_sees_its_sandbox(
    chromium: webdriver.Chrome, without_token: RunningMock
) -> None:
    api = without_token.api("key-of-a-browser")
    api.submit("a fox behind a form")

    sign_in(chromium, without_token, "key", api.key)

    until(chromium, "#tasks", "a fox behind a form")
    assert api.key not in chromium.current_url
    assert browser.complaints(chromium) == []


def test_browser_signs_in_with_the_admin_token_and_sees_all_sandboxes(
    chromium: webdriver.Chrome, with_token: RunningMock
) -> None:
    api = with_token.api("key-of-another-browser")
    api.submit()

    sign_in(chromium, with_token, "token", TOKEN)

    until(chromium, "#sandboxes", api.told("GET", "sandbox")["id"])


def test_page_shows_the_sign_in_again_when_its_session_has_ended(
    chromium: webdriver.Chrome, without_token: RunningMock
) -> None:
    api = without_token.api("key-of-a-lost-session")
    sign_in(chromium, without_token, "key", api.key)
    until(chromium, "#now", "UTC")

    chromium.delete_all_cookies()
    api.submit("seen by nobody")

    until(chromium, "main", "Open the sandbox")
    assert "seen by nobody" not in chromium.page_source


def test_rejected_key_and_token_are_explained_in_the_form(
    chromium: webdriver.Chrome, with_token: RunningMock
) -> None:
    browser.resized(chromium, 390)
    sign_in(chromium, with_token, "key", "sk-invalid-key")
    until(chromium, "form:has(#key) [role=alert]", "does not accept this API key")

    sign_in(chromium, with_token, "token", "the-wrong-token")
    until(chromium, "form:has(#token) [role=alert]", "not the admin token")

    assert chromium.execute_script("return document.documentElement.scrollWidth") <= 390
    assert chromium.get_cookies() == []
