"""A real browser for tests that look at a page: Debian's chromium and its chromedriver.

Starting it takes longer than most of these tests, so each worker starts one, for all of them.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from tests.patience import PATIENCE_S

_SWITCHES = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",  # small in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
_OF_NO_SERVER = ("file:", "data:", "blob:", "about:", "chrome:", "chrome-untrusted:")


@pytest.fixture
def chromium(browser: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """Give the browser with an empty page on a desk, and nothing said or requested so far.

    It has no cookies either: browsers share them among all ports of a host.
    """
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    complaints(browser)
    requested(browser)
    resized(browser, 1280)
    yield browser
    browser.get("about:blank")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Start a browser that reaches this machine only; skip where there is none."""
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if lacking:
        pytest.skip(
            f"needs a browser to look at the page: {' and '.join(lacking)} not found"
            " (Debian: apt-get install chromium chromium-driver)"
        )
    with started(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


def resized(driver: webdriver.Chrome, width: int, height: int = 900, *, dark: bool = False) -> None:
    """Look through a window of this size, with the colours that the reader prefers."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def complaints(driver: webdriver.Chrome) -> list[str]:
    """Return what the console has said since it was last asked, refusals of the CSP included."""
    return [entry["message"] for entry in _log(driver, "browser")]


def requested(driver: webdriver.Chrome) -> list[str]:
    """Return what the browser has asked servers for since it was last asked."""
    events = (json.loads(entry["message"])["message"] for entry in _log(driver, "performance"))
    urls = (
        str(event["params"]["request"]["url"])
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    )
    return [url for url in urls if not url.startswith(_OF_NO_SERVER)]


def loaded(driver: webdriver.Chrome) -> None:
    """Wait until all pictures of the page are complete."""
    script = "return [...document.images].every((each) => each.complete && each.naturalWidth)"
    WebDriverWait(driver, PATIENCE_S, 0.05).until(lambda driver: driver.execute_script(script))


def _log(driver: webdriver.Chrome, name: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = driver.get_log(name)  # type: ignore[no-untyped-call]  # in selenium
    return entries


@contextmanager
def started(profile: Path) -> Iterator[webdriver.Chrome]:
    """Start a browser with an empty profile in this folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for switch in _SWITCHES:
        options.add_argument(switch)
    options.add_argument(f"--user-data-dir={profile}")
    if os.geteuid() == 0:  # the sandbox of the browser refuses to work for root
        options.add_argument("--no-sandbox")
    logs: dict[str, Any] = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    service = Service(executable_path=str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()
