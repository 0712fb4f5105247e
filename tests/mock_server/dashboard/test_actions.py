"""The dashboard controls the mock, in a real browser: tasks, faults, rules, the clock."""

import json
import shlex

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from mock_server.testing.receiver import CallbackReceiver
from tests import browser
from tests.mock_server.dashboard.looking import click, focused, until, widths
from tests.mock_server.e2e.api import SUBMIT, Api
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S


def test_next_task_fails_with_the_selected_fault(page: webdriver.Chrome, api: Api) -> None:
    click(page, "#fail-next")
    until(page, "#queue", "CONTENT_VIOLATION")

    api.submit("any prompt")
    until(page, "#tasks", "any prompt")
    click(page, "[data-seconds='15d']")

    until(page, "#tasks", "CONTENT_VIOLATION")
    assert page.find_element(By.ID, "queue").text == ""


def test_queued_fault_is_cancelled(page: webdriver.Chrome, api: Api) -> None:
    click(page, "#fail-next")
    until(page, "#queue", "CONTENT_VIOLATION")

    click(page, "#queue button")

    WebDriverWait(page, PATIENCE_S, 0.05).until(lambda _: api.told("GET", "next")["next"] == [])
    api.submit("any prompt")
    until(page, "#tasks", "any prompt")
    assert page.find_element(By.ID, "queue").text == ""


def test_task_is_submitted_from_the_page_and_errors_are_shown_in_place(
    page: webdriver.Chrome, api: Api
) -> None:
    click(page, "#new-task button")
    until(page, "#new-task-error", "400: Missing required field: input")
    page.find_element(By.ID, "prompt").send_keys("a fox of the page")
    page.find_element(By.CSS_SELECTOR, "#new-task summary").click()
    page.find_element(By.ID, "callback-url").send_keys("nowhere")
    click(page, "#new-task button")
    until(page, "#new-task-error", "callback_url: must be an http or https URL")
    assert focused(page, "id") == "callback-url"
    page.find_element(By.ID, "callback-url").clear()
    Select(page.find_element(By.ID, "num-images")).select_by_visible_text("4")

    click(page, "#new-task button")

    until(page, "#tasks", "a fox of the page")
    assert api.told("GET", "tasks")["tasks"][0]["num_images"] == 4
    assert ["400" in each for each in browser.complaints(page)] == [True, True]


def test_request_of_the_journal_is_written_as_a_curl_command_without_the_key(
    page: webdriver.Chrome, api: Api, mock: RunningMock
) -> None:
    api.submit("it's a fox; $HOME")
    until(page, "#journal", "submit")
    click(page, "#journal summary")
    click(page, "#journal button")
    until(page, "#journal .command", "Cop")

    command = page.find_element(By.CSS_SELECTOR, "#journal .command pre").text
    words = shlex.split(command)

    assert words[:4] == ["curl", "-X", "POST", f"{mock.url}{SUBMIT}"]
    assert "Authorization: Bearer $APIXO_API_KEY" in words
    assert '-H "Authorization' in command  # The shell inserts the key.
    assert json.loads(words[-1]) == {"input": {"prompt": "it's a fox; $HOME"}}
    assert api.key not in command


def test_page_shows_callbacks_and_changes_rules_profile_and_clock(
    page: webdriver.Chrome, api: Api
) -> None:
    with CallbackReceiver.listening() as receiver:
        api.submit("called back", callback_url=receiver.url)
        api.advance("5m")
        until(page, "#callbacks", "delivered")
    api.told("POST", "rules", {"apply": {"refuse": {"status": 503}}})
    until(page, "#rules", "503")
    click(page, "#rules button")
    until(page, "#rules", "enable")
    assert api.told("GET", "rules")["rules"] == []
    Select(page.find_element(By.ID, "profile")).select_by_visible_text("free-plan")
    WebDriverWait(page, PATIENCE_S, 0.05).until(
        lambda _: api.told("GET", "sandbox")["settings"]["max_concurrent"] == 3
    )
    click(page, "[data-speed='100']")
    until(page, "#mode", "100")


def test_error_of_an_action_stays_until_the_next_action(page: webdriver.Chrome, api: Api) -> None:
    page.execute_script("document.getElementById('next').options[0].value = '{\"wire\": \"x\"}'")
    click(page, "#fail-next")
    until(page, "#problem", "apply.wire")
    assert ["status of 400" in each for each in browser.complaints(page)] == [True]

    api.submit("news")
    until(page, "#tasks", "news")
    assert page.find_element(By.ID, "problem").is_displayed()

    click(page, "[data-seconds='3']")
    WebDriverWait(page, PATIENCE_S, 0.05).until(
        lambda page: not page.find_element(By.ID, "problem").is_displayed()
    )


def test_held_task_is_finished_from_the_page(page: webdriver.Chrome, api: Api) -> None:
    task_id = api.submit("held [[mock hold]]")
    until(page, "#tasks", "held")
    click(page, f"[data-task='{task_id}']")
    until(page, "#timeline-title", task_id)
    assert focused(page, "id") == "timeline-title"

    click(page, "#finish [data-state='success']")

    until(page, "#tasks", "success")
    WebDriverWait(page, PATIENCE_S, 0.05).until(
        lambda page: not page.find_element(By.ID, "finish").is_displayed()
    )


def test_task_with_an_id_that_needs_escaping_is_shown_and_finished(
    page: webdriver.Chrome, api: Api
) -> None:
    api.change(task_ids="reserved")
    task_id = api.submit("odd [[mock hold]]")
    until(page, "#tasks", "odd")
    click(page, f"[data-task='{task_id}']")
    until(page, "#timeline-title", task_id)
    page.find_element(By.ID, "task").send_keys(task_id)

    click(page, "#finish [data-state='success']")

    until(page, "#tasks", "success")
    until(page, "#journal", "generateTask")
    widths(page, [1024])


def test_rule_that_is_enabled_again_gets_its_place_back(page: webdriver.Chrome, api: Api) -> None:
    rules = [{"apply": {"refuse": {"status": status}}} for status in (500, 502, 503)]
    api.told("PUT", "rules", {"rules": rules})
    until(page, "#rules", "503")
    click(page, "#rules li:nth-child(2) button")
    until(page, "#rules", "enable")
    page.refresh()
    until(page, "#rules", "enable")

    click(page, "#rules li:last-child button")

    WebDriverWait(page, PATIENCE_S, 0.05).until(
        lambda _: [
            each["apply"]["refuse"]["status"] for each in api.told("GET", "rules")["rules"]
        ] == [500, 502, 503]
    )  # fmt: skip
    until(page, "#rules", "502")
    assert "enable" not in page.find_element(By.ID, "rules").text
