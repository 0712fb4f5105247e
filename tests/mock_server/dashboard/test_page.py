"""The dashboard in a real browser: it is live, fits its window, and never runs what it shows."""

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests import browser
from tests.mock_server.dashboard.looking import click, focus, focused, until, widths
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S

LONG = "a-very-long-word-without-any-space-" * 20
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&{{7*7}}"


def test_task_appears_and_shows_its_pictures_after_advancing_the_clock(
    page: webdriver.Chrome, api: Api
) -> None:
    api.submit("a fox in the snow", num_images=2)
    until(page, "#tasks", "a fox in the snow")
    until(page, "#tasks", "pending")

    for _ in range(4):
        click(page, "[data-seconds='30']")
    until(page, "#tasks", "success")

    loaded = "return [...document.images].filter(i => i.complete && i.naturalWidth === 1024).length"
    WebDriverWait(page, PATIENCE_S, 0.05).until(lambda page: page.execute_script(loaded) == 2)
    assert api.told("POST", "journal/count", {"operation": "result"}) == {"count": 0}


def test_page_without_requests_shows_the_first_command(page: webdriver.Chrome, api: Api) -> None:
    until(page, "#empty", "$APIXO_API_KEY")
    until(page, "#empty", "/api/v1/generateTask/gpt-image-1")
    assert page.find_element(By.ID, "empty").is_displayed()

    assert api.try_submit({}).status_code == 400

    until(page, "#counters", "1 rejected: 400")
    assert not page.find_element(By.ID, "empty").is_displayed()


def test_page_shows_the_timeline_of_a_task_and_details_of_a_request(
    page: webdriver.Chrome, api: Api
) -> None:
    task_id = api.submit("a timeline")
    api.status(task_id)
    until(page, "#journal", "statusTask")

    page.find_element(By.CSS_SELECTOR, f"[data-task='{task_id}']").click()
    until(page, f"li[data-key='{task_id}'] #timeline", "default: the task succeeds")
    Select(page.find_element(By.ID, "operation")).select_by_visible_text("submit")
    WebDriverWait(page, PATIENCE_S).until(
        lambda page: "statusTask" not in page.find_element(By.ID, "journal").text
    )
    click(page, "#journal summary")
    until(page, "#journal pre", "Bearer [redacted]")
    until(page, "#journal pre", '"prompt": "a timeline"')


def test_page_shows_markup_of_users_as_text(page: webdriver.Chrome, api: Api) -> None:
    api.submit(HOSTILE)
    api.told("POST", "rules", {"match": {"prompt": HOSTILE}, "apply": {"wire": "close"}})

    until(page, "#tasks", HOSTILE)
    until(page, "#rules", "<script>")
    click(page, "#journal summary")
    until(page, "#journal pre", "<script>alert(2)</script>")
    assert (
        page.execute_script("return document.querySelectorAll('main script, main img').length") == 0
    )


def test_page_fits_a_phone_and_works_with_the_keyboard(page: webdriver.Chrome, api: Api) -> None:
    task_id = api.submit(LONG)
    api.told("POST", "next", {"apply": {"outcome": {"fail": "NSFW", "message": LONG}}})
    api.told("POST", "rules", {"match": {"prompt": LONG}, "apply": {"callback": "drop"}})
    until(page, "#rules", "drop")
    click(page, f"[data-task='{task_id}']")
    until(page, "#timeline", "default: the task succeeds")
    page.execute_script("document.querySelectorAll('details').forEach((each) => each.open = true)")
    for width, dark in ((1280, False), (390, False), (375, True)):
        browser.resized(page, width, dark=dark)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width

    page.find_element(By.CSS_SELECTOR, "[data-seconds='30']").send_keys(Keys.ENTER)
    page.find_element(By.CSS_SELECTOR, "[data-seconds='30']").send_keys(Keys.ENTER)
    page.find_element(By.CSS_SELECTOR, "[data-seconds='30']").send_keys(Keys.ENTER)
    until(page, "#tasks", "success")


def test_list_of_sandboxes_links_to_each_page(
    chromium: webdriver.Chrome, mock: RunningMock, api: Api
) -> None:
    api.balance()
    sandbox_id = api.told("GET", "sandbox")["id"]
    chromium.get(f"{mock.url}/_mock/")

    chromium.find_element(By.PARTIAL_LINK_TEXT, sandbox_id).click()

    until(chromium, "h1", sandbox_id)


def test_list_of_sandboxes_shows_new_sandboxes(
    chromium: webdriver.Chrome, mock: RunningMock
) -> None:
    chromium.get(f"{mock.url}/_mock/")
    newcomer = mock.api("a-newcomer")

    newcomer.balance()

    until(chromium, "#sandboxes", newcomer.told("GET", "sandbox")["id"])
    assert browser.complaints(chromium) == []


def test_page_links_to_the_audit_of_the_client(
    page: webdriver.Chrome, api: Api, mock: RunningMock
) -> None:
    api.send("POST", "/api/v1/generateTask/gpt-image-1", body={"input": {"prompt": HOSTILE}})

    page.find_element(By.PARTIAL_LINK_TEXT, "Audit this client").click()

    until(page, "main", "C-REQ-001")
    assert page.execute_script("return document.querySelectorAll('img').length") == 0
    page.find_element(By.PARTIAL_LINK_TEXT, "Back to the sandbox").click()
    until(page, "#now", "20")


def test_updates_of_the_page_keep_the_focus(page: webdriver.Chrome, api: Api) -> None:
    task_id = api.submit("looked at")
    until(page, "#tasks", "looked at")
    focus(page, f"[data-task='{task_id}']")

    api.submit("another")
    until(page, "#tasks", "another")
    assert focused(page, "data-task") == task_id

    api.finish(task_id)
    until(page, "#tasks", "success")
    assert focused(page, "data-task") == task_id


def test_page_shows_new_pictures_after_a_reset(page: webdriver.Chrome, api: Api) -> None:
    first = finished(api, "a square", "1:1")
    widths(page, [1024])
    assert api.control("DELETE", "sandbox").status_code == 204

    assert finished(api, "a landscape", "3:2") == first  # one id, another picture
    widths(page, [1536])


def test_page_reconnects_when_its_deleted_sandbox_exists_again(
    chromium: webdriver.Chrome, mock: RunningMock, api: Api
) -> None:
    browser.resized(chromium, 1200)
    chromium.get(f"{mock.url}/_mock/?sandbox={api.told('GET', 'sandbox')['id']}")
    until(chromium, "#now", "20")

    mock.http.delete("/_mock/sandboxes").raise_for_status()
    until(chromium, "#link", "Disconnected")
    api.submit("back again")

    until(chromium, "#tasks", "back again")
    api.submit("and live")
    until(chromium, "#tasks", "and live")
    assert not chromium.find_element(By.ID, "link").is_displayed()


def test_durations_are_written_in_their_two_largest_units(page: webdriver.Chrome) -> None:
    wanted = {
        0: "0 ms", 450: "450 ms", 28_449: "28.4 s", 59_999: "59.9 s", 60_000: "1 min",
        125_000: "2 min 5 s", 3_600_000: "1 h", 5_400_000: "1 h 30 min", 1_296_000_000: "15 d",
        1_303_200_000: "15 d 2 h", -1500: "\u22121.5 s",
    }  # fmt: skip
    script = """
        const [durations, done] = arguments;
        import("/_mock/static/times.js").then(({ duration }) => done(durations.map(duration)));
    """

    assert page.execute_async_script(script, list(wanted)) == list(wanted.values())


def finished(api: Api, prompt: str, ratio: str) -> str:
    task_id = api.submit(prompt, aspect_ratio=ratio)
    api.finish(task_id)
    return task_id
