"""The page of a report, as a person sees it: in a browser, with no network."""

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from contract_tests.server.events import Response
from contract_tests.server.probe import Probe
from contract_tests.server.reports.files import write_reports
from contract_tests.server.reports.report import Report
from tests.browser import complaints, requested, resized
from tests.contract_tests.fakes import FakeWorld, a_case, find, judged, report_of
from tests.contract_tests.pages import (
    LIGHTNESS,
    button,
    everything_open,
    press,
    ratio,
    shown,
    tab_to,
)

HOSTILE = (
    "</script><script>document.title = 'taken'</script><img src=http://10.0.0.1/x onerror=x()>"
)
LONG = "a-word-without-an-end-" * 30
LOST = Response(status=0, error="the connection was lost")


def a_report() -> Report:
    def refuse(probe: Probe) -> None:
        answer = probe.submit(prompt=HOSTILE)
        probe.check("SUB-11", holds=False, expected="HTTP 400", seen=answer)

    envelope = f'{{"code": 200, "message": "success", "data": {{"taskId": "{HOSTILE}{LONG}"}}}}'
    said = Response(
        status=200,
        headers=(("Content-Type", "application/json"), ("X-Said", LONG)),
        body=envelope.encode(),
    )
    case = a_case(refuse, case_id="S-SUB-911", clauses=("SUB-11",), title="three are refused")
    return report_of(
        judged(a_case(case_id="S-SUB-901", title=LONG)).result,
        # Only the submit gets a response, so that the checkers find nothing more.
        judged(case, FakeWorld(lambda asked: said if asked.method == "POST" else LOST)).result,
        judged(a_case(lambda _: None, case_id="S-STA-905", clauses=("STA-5",))).result,
        judged(
            a_case(find(holds=False, clause="SUB-8"), clauses=("SUB-8",), case_id="S-SUB-908"),
            is_live=True,
        ).result,
        base_url=f"http://127.0.0.1:8080/{LONG}",
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    write_reports(a_report(), folder)
    return (folder / "report.html").as_uri()


@pytest.fixture
def page(chromium: Chrome, address: str) -> Chrome:
    """Open the page anew."""
    chromium.get(address)
    return chromium


def test_the_page_asks_no_server_and_the_console_stays_silent(page: Chrome) -> None:
    everything_open(page)

    assert requested(page) == []
    assert complaints(page) == []
    assert page.title.startswith("Contract of http://127.0.0.1:8080/")


def test_the_watch_over_the_console_bites(page: Chrome) -> None:
    page.execute_async_script(
        "document.addEventListener('securitypolicyviolation', arguments[0]);"
        "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))"
    )

    assert any("Content Security Policy" in each for each in complaints(page))


def test_all_clauses_are_there_at_first(page: Chrome) -> None:
    assert len(shown(page)) == len(a_report().clauses)


def test_a_text_leaves_the_clauses_that_hold_it(page: Chrome) -> None:
    page.find_element(By.ID, "search").send_keys("s-sub-911")

    assert shown(page) == ["SUB-11"]


def test_a_text_that_no_clause_holds_is_said_to_match_nothing(page: Chrome) -> None:
    page.find_element(By.ID, "search").send_keys("no clause says this")

    assert shown(page) == []
    assert page.find_element(By.CSS_SELECTOR, "[role=status]").text == "Nothing matches."


def test_buttons_choose_by_verdict_and_add_up(page: Chrome) -> None:
    button(page, "FAIL").click()
    assert shown(page) == ["SUB-11"]

    button(page, "WARN").click()
    assert set(shown(page)) == {"SUB-11", "SUB-8"}

    button(page, "FAIL").click()
    assert shown(page) == ["SUB-8"]


def test_text_and_button_work_together(page: Chrome) -> None:
    button(page, "FAIL").click()
    page.find_element(By.ID, "search").send_keys("S-SUB-908")

    assert shown(page) == []


def test_a_failure_is_open_with_expected_beside_seen_and_a_curl(page: Chrome) -> None:
    clause = page.find_element(By.ID, "SUB-11")
    expected, seen = clause.find_elements(By.CSS_SELECTOR, ".sides > div")
    curl = clause.find_element(By.CSS_SELECTOR, "pre.curl")

    assert expected.text == "Expected\nHTTP 400"
    assert seen.text.startswith("Seen\nHTTP 200")
    assert expected.rect["y"] == seen.rect["y"]
    assert expected.rect["x"] < seen.rect["x"]
    assert curl.is_displayed()
    assert curl.text.startswith("curl -i -X POST http://127.0.0.1:")
    assert "$APIXO_API_KEY" in curl.text


def test_what_passed_is_a_click_away(page: Chrome) -> None:
    clause = page.find_element(By.ID, "SUB-1")
    case, exchange = clause.find_elements(By.TAG_NAME, "summary")
    assert not exchange.is_displayed()

    case.click()
    exchange.click()

    assert clause.find_element(By.CSS_SELECTOR, "pre.curl").is_displayed()


def test_what_is_broken_is_named_first_and_leads_there(page: Chrome) -> None:
    link = page.find_element(By.CSS_SELECTOR, "header a")
    assert link.text == "SUB-11"

    link.click()
    top = page.execute_script(
        "return document.getElementById('SUB-11').getBoundingClientRect().top"
        " - document.querySelector('nav').getBoundingClientRect().bottom"
    )

    assert top >= 0


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_needs_sideways_scrolling(page: Chrome, width: int) -> None:
    resized(page, width)
    everything_open(page)

    wide, seen = page.execute_script(
        "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]"
    )
    assert wide <= seen <= width


def test_a_phone_shows_expected_above_seen(page: Chrome) -> None:
    resized(page, 375)
    expected, seen = page.find_elements(By.CSS_SELECTOR, "#SUB-11 .sides > div")

    assert expected.rect["x"] == seen.rect["x"]
    assert expected.rect["y"] < seen.rect["y"]


def test_the_keyboard_is_enough(page: Chrome) -> None:
    tab_to(page, "#search")
    press(page, "sta-5")
    assert shown(page) == ["STA-5"]

    press(page, *[Keys.BACKSPACE] * len("sta-5"))
    tab_to(page, "button[data-verdict=WARN]")
    press(page, Keys.SPACE)
    assert shown(page) == ["SUB-8"]

    tab_to(page, "#SUB-8 summary")
    press(page, Keys.ENTER)
    assert page.find_element(By.CSS_SELECTOR, "#SUB-8 .sides").is_displayed()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(page: Chrome, *, dark: bool) -> None:
    resized(page, 1280, dark=dark)
    everything_open(page)

    lightness = page.execute_script(LIGHTNESS)
    grounds = {ground for _, ground, _ in lightness}

    assert all(ground < 0.2 if dark else ground > 0.8 for ground in grounds)
    assert {name: ratio(text, ground) for text, ground, name in lightness
            if ratio(text, ground) < 4.5} == {}  # fmt: skip
