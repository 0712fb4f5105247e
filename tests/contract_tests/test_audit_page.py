"""The HTML report of an audit in a browser, without a network."""

import json
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit
from contract_tests.client.reports.files import write_audit, write_matrix
from contract_tests.client.reports.report import AuditReport
from tests.browser import complaints, requested, resized
from tests.contract_tests.evidence import (
    HEADERS,
    accepts_400,
    case_by_all_rules,
    case_of,
    exchange,
    full_timeline,
    rejected,
    report_of,
    retries_400,
    sends_nothing,
)
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
    "</pre></script><script>document.title = 'taken'</script>"
    "<img src=http://10.0.0.1/x onerror=x()>"
    "\"'><svg onload=\"document.title='taken'\">\x00\x1b[31m\ud800"
)
LONG = "a-word-without-an-end-" * 30


def hostile() -> Evidence:
    body = json.dumps({"input": {"prompt": HOSTILE, HOSTILE: LONG}})
    agent = (*HEADERS, ("User-Agent", HOSTILE + LONG))
    return Evidence(
        exchanges=(
            rejected(1, 0, 400, body=body, headers=agent),
            rejected(2, 0.4, 400, body=body, headers=agent),
            exchange(3, 1.5, "status", headers=agent, path=f"/{HOSTILE}", response_body=HOSTILE),
        ),
        client_exit=ClientExit(exit_status=1, output=f"{HOSTILE}\n{LONG}", after_s=2.0),
    )


def a_report() -> AuditReport:
    return report_of(
        case_by_all_rules(full_timeline(), "A-REQ-901"),
        case_of(hostile(), "A-LIM-902", title=LONG, rules=("C-LIM-005", "C-REQ-004")),
        case_of(accepts_400(), "A-LIM-903"),
        case_of(sends_nothing(), "A-LIM-904"),
        client=f"node client.mjs {HOSTILE}{LONG}",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    write_audit(a_report(), folder / "one")
    other = report_of(case_of(accepts_400(), "A-LIM-902"), case_of(retries_400(), "A-LIM-905"))
    write_matrix([a_report(), other], folder / "two")
    return folder


def opened(chromium: Chrome, path: Path) -> Chrome:
    """Open a page."""
    chromium.get(path.as_uri())
    return chromium


@pytest.fixture
def page(chromium: Chrome, folder: Path) -> Chrome:
    return opened(chromium, folder / "one" / "report.html")


@pytest.fixture
def matrix(chromium: Chrome, folder: Path) -> Chrome:
    return opened(chromium, folder / "two" / "report.html")


def case(page: Chrome, case_id: str = "A-REQ-901") -> WebElement:
    return page.find_element(By.ID, case_id)


class TestSafety:
    @pytest.mark.parametrize("name", ["one", "two"])
    def test_page_sends_no_request_and_logs_no_error(
        self, chromium: Chrome, folder: Path, name: str
    ) -> None:
        page = opened(chromium, folder / name / "report.html")
        everything_open(page)

        assert requested(page) == []
        assert complaints(page) == []
        assert page.title.startswith("Audit of node client.mjs </pre>")

    def test_text_of_the_client_is_shown_verbatim(self, page: Chrome) -> None:
        everything_open(page)
        texts = [each.text for each in case(page, "A-LIM-902").find_elements(By.TAG_NAME, "pre")]

        assert sum("<script>document.title = 'taken'</script>" in text for text in texts) >= 4
        assert page.find_elements(By.CSS_SELECTOR, "img, [onload], [onerror]") == []

    def test_injected_script_does_not_run(self, page: Chrome) -> None:
        page.execute_async_script(
            "document.addEventListener('securitypolicyviolation', arguments[0]);"
            "const script = document.createElement('script');"
            "script.textContent = 'document.title = \"taken\"'; document.body.append(script)"
        )

        assert page.title != "taken"
        assert any("Content Security Policy" in each for each in complaints(page))


class TestOverview:
    def test_violated_rules_come_first_with_advice_and_cases(self, page: Chrome) -> None:
        rules = page.find_elements(By.CSS_SELECTOR, "header > .rules > li")
        told = {each.text.split()[1]: each.text for each in rules}

        assert "Wait 3 seconds between status requests" in told["C-POLL-002"]
        assert "A-REQ-901" in told["C-POLL-002"]
        assert "A-LIM-902" in told["C-LIM-005"]
        assert {each.text.split()[0] for each in rules} == {"FAIL", "WARN"}

    def test_link_to_a_case_scrolls_below_the_filter_bar(self, page: Chrome) -> None:
        page.find_element(By.CSS_SELECTOR, ".rules a[href='#A-LIM-902']").click()

        assert top_of(page, "A-LIM-902") >= 0

    def test_link_to_a_hidden_case_shows_it(self, page: Chrome) -> None:
        button(page, "PASS").click()
        assert shown(page) == ["A-LIM-903"]

        page.find_element(By.CSS_SELECTOR, ".rules a[href='#A-LIM-902']").click()

        assert case(page, "A-LIM-902").is_displayed()
        assert top_of(page, "A-LIM-902") >= 0

    def test_other_rules_are_collapsed(self, page: Chrome) -> None:
        _, not_judged, silent = page.find_elements(By.CSS_SELECTOR, "header > details")
        assert not not_judged.find_element(By.CLASS_NAME, "rules").is_displayed()

        silent.find_element(By.TAG_NAME, "summary").click()

        assert "PASS" in silent.find_element(By.CLASS_NAME, "rules").text


class TestFilter:
    def test_all_cases_are_shown_at_first(self, page: Chrome) -> None:
        assert set(shown(page)) == {"A-REQ-901", "A-LIM-902", "A-LIM-903", "A-LIM-904"}

    def test_several_verdict_buttons_can_be_active(self, page: Chrome) -> None:
        button(page, "PASS").click()
        button(page, "INCONCLUSIVE").click()
        assert shown(page) == ["A-LIM-904", "A-LIM-903"]

        button(page, "PASS").click()
        assert shown(page) == ["A-LIM-904"]

    def test_text_filter_shows_only_matching_cases(self, page: Chrome) -> None:
        page.find_element(By.ID, "search").send_keys("c-req-004 ")
        page.find_element(By.ID, "search").send_keys(Keys.BACKSPACE)
        button(page, "FAIL").click()
        assert shown(page) == ["A-REQ-901", "A-LIM-902"]

        page.find_element(By.ID, "search").send_keys(" that nobody wrote")
        assert shown(page) == []
        assert page.find_element(By.CSS_SELECTOR, "[role=status]").text == "Nothing matches."


class TestTimeline:
    def test_every_event_has_a_mark(self, page: Chrome) -> None:
        (timeline,) = case(page).find_elements(By.CSS_SELECTOR, ".drawing [role=img]")
        marks = timeline.find_elements(By.CLASS_NAME, "mark")

        assert len(marks) == len(full_timeline().exchanges) + 1
        lanes = case(page).find_elements(By.CSS_SELECTOR, ".drawing .names text")
        assert [each.text for each in lanes][:5] == [
            "submits", "polls", "429s", "callbacks", "downloads",
        ]  # fmt: skip

    def test_marks_do_not_overlap_and_are_in_order(self, page: Chrome) -> None:
        marks = case(page).find_elements(By.CSS_SELECTOR, ".drawing .dot")
        places = [(round(each.rect["x"]), round(each.rect["y"])) for each in marks]
        polls = case(page).find_elements(By.CSS_SELECTOR, ".drawing .dot.status")

        assert len(places) == len(set(places))
        by_time = [each.rect["x"] for each in polls]
        assert by_time == sorted(by_time)

    def test_violated_rules_are_shown_at_their_mark(self, page: Chrome) -> None:
        rings = case(page).find_elements(By.CSS_SELECTOR, ".drawing .mark:has(.ring)")
        told = [str(each.find_element(By.TAG_NAME, "title").get_attribute("textContent"))
                for each in rings]  # fmt: skip
        flags = [each.text for each in case(page).find_elements(By.CSS_SELECTOR, "text.flag")]

        assert "3.20 s: status 200 processing; violates C-POLL-002" in told
        assert len(rings) == len(flags)
        assert "C-POLL-002" in flags

    def test_legend_lists_only_drawn_shapes(self, page: Chrome) -> None:
        legend = case(page).find_element(By.CLASS_NAME, "legend")

        assert legend.text.splitlines() == [
            "successful", "rate-limited (429)", "end of a task", "violates a rule",
        ]  # fmt: skip

    def test_text_version_links_to_the_exchanges(self, page: Chrome) -> None:
        words = case(page).find_element(By.CSS_SELECTOR, "details.words")
        words.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
        moments = words.find_elements(By.TAG_NAME, "li")

        assert len(moments) == len(full_timeline().exchanges) + 1
        assert "3.20 s, polls: status 200 processing, violates C-POLL-002" in moments[3].text
        moments[3].find_element(By.TAG_NAME, "a").send_keys(Keys.ENTER)
        assert page.find_element(By.ID, "A-REQ-901-4").is_displayed()
        assert top_of(page, "A-REQ-901-4") >= 0

    def test_drawing_has_an_accessible_name(self, page: Chrome) -> None:
        drawing = case(page).find_element(By.CSS_SELECTOR, ".drawing [role=img]")

        assert drawing.aria_role == "image"
        assert drawing.accessible_name.startswith("12 moments of A-REQ-901 on a time axis")


class TestFinding:
    def test_violation_is_open_with_advice_exchange_and_clause(self, page: Chrome) -> None:
        finding = case(page, "A-LIM-902").find_element(By.CSS_SELECTOR, "details.finding")
        asked, told = finding.find_elements(By.TAG_NAME, "pre")
        clause = finding.find_element(By.CLASS_NAME, "clause").text

        assert finding.find_element(By.CLASS_NAME, "advice").text.startswith("Do not retry 400")
        assert asked.text.startswith("POST /api/v1/generateTask/gpt-image-1")
        assert told.text.startswith("HTTP 400")
        assert clause.startswith("SUB-14 ")
        assert "stated by the provider's model page; source: " in clause

    def test_passed_finding_is_closed(self, page: Chrome) -> None:
        finding = case(page, "A-LIM-903").find_element(By.CSS_SELECTOR, "details.finding")

        assert finding.get_attribute("open") is None


class TestMatrix:
    def test_matrix_has_a_row_per_case_and_a_column_per_client(self, matrix: Chrome) -> None:
        rows = matrix.find_elements(By.CSS_SELECTOR, "#matrix tbody tr")
        cells = {
            row.find_element(By.TAG_NAME, "th").text.split()[0]: [
                each.text for each in row.find_elements(By.TAG_NAME, "td")
            ]
            for row in rows
        }

        assert cells == {
            "A-REQ-901": ["FAIL", "not tested"],
            "A-LIM-902": ["FAIL", "PASS"],
            "A-LIM-903": ["PASS", "not tested"],
            "A-LIM-904": ["INCONCLUSIVE", "not tested"],
            "A-LIM-905": ["not tested", "FAIL"],
        }

    def test_cell_links_to_the_case_of_its_client(self, matrix: Chrome) -> None:
        matrix.find_element(By.CSS_SELECTOR, "#matrix a[href='#2-A-LIM-902']").click()

        assert top_of(matrix, "2-A-LIM-902") >= 0
        assert case(matrix, "2-A-LIM-902").get_attribute("data-verdict") == "PASS"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("name", ["one", "two"])
def test_only_drawings_scroll_horizontally(
    chromium: Chrome, folder: Path, name: str, width: int
) -> None:
    page = opened(chromium, folder / name / "report.html")
    resized(page, width)
    everything_open(page)

    wide, seen = page.execute_script(
        "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]"
    )
    assert wide <= seen <= width


def test_phone_timeline_can_be_swiped_and_says_so(page: Chrome) -> None:
    resized(page, 390)
    box = case(page).find_element(By.CLASS_NAME, "drawing")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
    last = box.find_elements(By.CLASS_NAME, "mark")[-1]
    assert case(page).find_element(By.CLASS_NAME, "hint").is_displayed()
    assert right_of(page, last) > 390

    for _ in range(3):
        swipe_left(page, box)

    assert right_of(page, last) <= 390
    assert page.execute_script("return scrollX") == 0
    names = box.find_element(By.CLASS_NAME, "names")
    assert names.rect["x"] == pytest.approx(box.rect["x"], abs=1)


def test_wide_window_shows_the_whole_timeline_without_a_hint(page: Chrome) -> None:
    box = case(page).find_element(By.CLASS_NAME, "drawing")
    wide, seen = page.execute_script(
        "return [arguments[0].scrollWidth, arguments[0].clientWidth]", box
    )

    assert wide <= seen
    assert not case(page).find_element(By.CLASS_NAME, "hint").is_displayed()


def test_names_of_the_lanes_are_level_with_their_marks(page: Chrome) -> None:
    names, marks = case(page).find_elements(By.CSS_SELECTOR, ".drawing svg")

    assert names.rect["y"] == marks.rect["y"]
    assert names.rect["height"] == pytest.approx(marks.rect["height"], abs=1)


def test_wide_drawing_can_be_scrolled_with_the_keyboard(page: Chrome) -> None:
    resized(page, 375)
    box = case(page).find_element(By.CLASS_NAME, "drawing")
    page.execute_script("arguments[0].focus()", box)

    wide, seen = page.execute_script(
        "return [arguments[0].scrollWidth, arguments[0].clientWidth]", box
    )
    assert wide > seen
    assert page.switch_to.active_element == box


def test_page_can_be_used_with_the_keyboard_alone(page: Chrome) -> None:
    page.find_element(By.ID, "search").click()
    tab_to(page, "button[data-verdict=PASS]")
    press(page, Keys.SPACE)
    assert shown(page) == ["A-LIM-903"]

    tab_to(page, "#A-LIM-903 .drawing")
    tab_to(page, "#A-LIM-903 .finding summary")
    press(page, Keys.ENTER)
    assert case(page, "A-LIM-903").find_element(By.CSS_SELECTOR, ".finding .sides").is_displayed()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_enough_contrast(matrix: Chrome, *, dark: bool) -> None:
    resized(matrix, 1280, dark=dark)
    everything_open(matrix)

    lightness = matrix.execute_script(LIGHTNESS)
    grounds = {ground for _, ground, _ in lightness}

    assert all(ground < 0.2 if dark else ground > 0.8 for ground in grounds)
    assert {name: ratio(text, ground) for text, ground, name in lightness
            if ratio(text, ground) < 4.5} == {}  # fmt: skip


def swipe_left(page: Chrome, box: WebElement) -> None:
    """Swipe with a finger from the right to the left, within an element."""
    x, y = page.execute_script(
        "const box = arguments[0].getBoundingClientRect();"
        "return [box.right - 20, box.top + box.height / 2]",
        box,
    )
    touch(page, "touchStart", [{"x": x, "y": y}])
    for step in range(1, 11):
        touch(page, "touchMove", [{"x": x - 30 * step, "y": y}])
    touch(page, "touchEnd", [])


def touch(page: Chrome, kind: str, points: list[dict[str, float]]) -> None:
    page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def right_of(page: Chrome, element: WebElement) -> float:
    right: float = page.execute_script("return arguments[0].getBoundingClientRect().right", element)
    return right


def top_of(page: Chrome, anchor: str) -> float:
    """Return the distance from the filter bar to the start of an element below it."""
    top: float = page.execute_script(
        "return document.getElementById(arguments[0]).getBoundingClientRect().top"
        " - document.querySelector('nav').getBoundingClientRect().bottom",
        anchor,
    )
    return top
