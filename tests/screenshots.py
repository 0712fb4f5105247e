"""Take the screenshot of the dashboard for the documentation: `make screenshots`.

The scene is the same in every run: it is made through the HTTP API with a fixed seed and a clock
that stands still, and then moved to a fixed instant and to the usual ports.
"""

import json
import sys
import tempfile
from base64 import b64decode
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By

from mock_server.settings import Settings
from mock_server.testing.receiver import CallbackReceiver
from tests import browser
from tests.mock_server.dashboard.looking import click, until
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock, running

TARGET = Path(__file__).parents[1] / "docs" / "dashboard.png"
WIDTH = 1280
HEIGHT = 1340
SEED = 7
START_MS = 1_793_698_200_000  # 2026-11-03 09:30:00 UTC


def main() -> None:
    """Write docs/dashboard.png, or a picture to another path and of another width: PATH WIDTH."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    width = int(sys.argv[2]) if len(sys.argv) > 2 else WIDTH
    with (
        running(Settings(clock="manual", seed=SEED)) as mock,
        tempfile.TemporaryDirectory() as profile,
        browser.started(Path(profile)) as driver,
    ):
        api = mock.api("sk-demo")
        task_id = _act(mock, api)
        target.write_bytes(_picture(driver, mock, api, task_id, width))


def _act(mock: RunningMock, api: Api) -> str:
    """Make the scene; return the id of the task whose timeline is shown."""
    _move(api, START_MS, {})
    rule = {
        "match": {"operation": "status", "nth": "every 4"},
        "apply": {"refuse": {"status": 503}},
    }
    api.told("POST", "rules", rule)
    with CallbackReceiver.listening() as receiver:
        api.submit("a lighthouse in a storm", aspect_ratio="2:3", callback_url=receiver.url)
        api.advance(7)
        api.submit("a bear that should not be here [[mock fail=CONTENT_VIOLATION]]")
        api.advance(31)
        api.change(generation_time="60s")
        fox = api.submit(
            "a red fox crosses a snowy field at dawn", num_images=2, aspect_ratio="3:2"
        )
        api.try_submit({"input": {"prompt": "three owls on a branch", "num_images": 3}})
        api.advance(20)
        while api.task(fox)["state"] != "success":
            api.ask(fox)
            api.advance(3)
        api.ask(fox)
        for url in api.task(fox)["result_urls"]:
            api.send("GET", url)
        api.submit("a bowl of oranges, oil on canvas")
        api.advance(4)
        api.told("POST", "next", {"apply": {"wire": "close"}})
        ports = {receiver.url: "http://127.0.0.1:9000/callback", mock.url: "http://127.0.0.1:8080"}
    _move(api, api.now_ms(), ports)
    return fox


def _move(api: Api, now_ms: int, addresses: dict[str, str]) -> None:
    """Move the sandbox to another instant, and what it knows to other addresses."""
    snapshot = json.dumps(api.told("GET", "sandbox/snapshot") | {"now_ms": now_ms})
    for old, new in addresses.items():
        snapshot = snapshot.replace(old, new)
    assert api.control("PUT", "sandbox/snapshot", json.loads(snapshot)).status_code == 204


def _picture(
    driver: webdriver.Chrome, mock: RunningMock, api: Api, task_id: str, width: int
) -> bytes:
    browser.resized(driver, width, HEIGHT)
    driver.get(f"{mock.url}/_mock/?sandbox={api.told('GET', 'sandbox')['id']}")
    until(driver, "#tasks", "a bowl of oranges")
    click(driver, f"[data-task='{task_id}']")
    until(driver, "#timeline", "transition")
    driver.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
    browser.loaded(driver)
    height = driver.find_element(By.TAG_NAME, "html").size["height"] if width < WIDTH else HEIGHT
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    taken = driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True}
    )
    return b64decode(taken["data"])


if __name__ == "__main__":
    main()
