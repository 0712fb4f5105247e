"""The rule editor of the dashboard in a real browser: fields, JSON, errors in place."""

import json

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests import browser
from tests.mock_server.dashboard.looking import click, until
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S

# Rules that together use every field of the form.
RULES: list[Json] = [
    {
        "match": {
            "operation": ["submit", "status"], "prompt": "a cat", "prompt_regex": "^a (cat|dog)",
            "header": {"X-Test": "a: b"}, "nth": "every 3", "times": 2, "times_each": 1,
            "probability": 0.5,
        },
        "apply": {"refuse": {"status": 429, "message": "Busy", "retry_after": "date:7"}},
    },
    {
        "match": {"operation": "submit"},
        "apply": {
            "outcome": {"fail": "NSFW", "message": "no", "pending": "2s", "processing": 5},
            "latency": {"uniform": ["100ms", "2s"]},
        },
    },
    {"match": {}, "apply": {"outcome": {"hold": True}}},
    {"match": {}, "apply": {"outcome": {"polls": 3}}},
    {"match": {"state": "success"}, "apply": {"meaning": "unknown-state"}},
    {"match": {"nth": "2..4"}, "apply": {"wire": "half-body", "latency": "400ms"}},
    {"match": {"attempt": 2}, "apply": {"callback": {"delay": "30s"}}},
    {"match": {}, "apply": {"callback": "reorder"}},
    {"match": {}, "apply": {"latency": 0.4}},
]  # fmt: skip
IN_JSON_ONLY: Json = {"match": {}, "apply": {"refuse": {"status": 503}, "wire": "half-body"}}


@pytest.fixture
def page(chromium: webdriver.Chrome, mock: RunningMock, api: Api) -> webdriver.Chrome:
    chromium.get(f"{mock.url}/_mock/?sandbox={api.told('GET', 'sandbox')['id']}")
    until(chromium, "#now", "UTC")
    click(chromium, "#editor > summary")
    return chromium


def write(page: webdriver.Chrome, field: str, text: str) -> None:
    node = page.find_element(By.ID, field)
    node.clear()
    node.send_keys(text)


def written(rules: list[Json]) -> list[Json]:
    return [{name: each[name] for name in ("match", "apply")} for each in rules]


def until_rules(page: webdriver.Chrome, api: Api, wanted: list[Json]) -> None:
    WebDriverWait(page, PATIENCE_S, 0.05).until(
        lambda _: written(api.told("GET", "rules")["rules"]) == wanted, f"rules {wanted}"
    )


def test_rule_is_added_with_the_fields_of_the_form(page: webdriver.Chrome, api: Api) -> None:
    click(page, "#rule-form input[value='status']")
    write(page, "rule-nth", "2..3")
    write(page, "rule-status", "429")
    write(page, "rule-retry-after", "5")

    click(page, "#rule-save")

    match = {"operation": "status", "nth": "2..3"}
    until_rules(
        page, api, [{"match": match, "apply": {"refuse": {"status": 429, "retry_after": 5}}}]
    )
    until(page, "#rules", "429")
    assert browser.complaints(page) == []


def test_error_of_an_invalid_rule_is_shown_at_its_field(page: webdriver.Chrome, api: Api) -> None:
    write(page, "rule-nth", "2-4")

    click(page, "#rule-save")

    until(page, "#rule-error", 'match.nth: must be a number from 1, "2..4" or "every 3"')
    focused = page.switch_to.active_element
    assert focused.get_attribute("id") == "rule-nth"
    assert focused.get_attribute("aria-invalid") == "true"
    assert api.told("GET", "rules")["rules"] == []


def test_effect_is_queued_for_the_next_matches(page: webdriver.Chrome, api: Api) -> None:
    Select(page.find_element(By.ID, "rule-effect")).select_by_value("wire")
    Select(page.find_element(By.ID, "rule-wire")).select_by_value("half-body")
    Select(page.find_element(By.ID, "rule-scope")).select_by_value("next")
    write(page, "rule-count", "3")

    click(page, "#rule-save")

    until(page, "#queue", "next 3 matches: wire: half-body")
    assert api.told("GET", "next")["next"][0]["count"] == 3


def test_every_rule_survives_a_change_in_the_form(page: webdriver.Chrome, api: Api) -> None:
    api.told("PUT", "rules", {"rules": RULES})
    for number, rule in enumerate(RULES, start=1):
        until(page, f"#rules li:nth-child({number})", "edit")
        click(page, f"#rules li:nth-child({number}) button:nth-of-type(2)")
        assert page.find_element(By.ID, "rule-fields").is_displayed(), rule

        click(page, "#rule-save")
        WebDriverWait(page, PATIENCE_S, 0.05).until(
            lambda page: not page.find_element(By.ID, "rule-form").is_displayed()
        )

    assert written(api.told("GET", "rules")["rules"]) == RULES


def test_rule_that_the_form_cannot_show_is_edited_as_json(page: webdriver.Chrome, api: Api) -> None:
    api.told("POST", "rules", IN_JSON_ONLY)
    until(page, "#rules", "half-body")
    click(page, "#rules li button:nth-of-type(2)")
    text = page.find_element(By.ID, "rule-json")
    assert json.loads(text.get_attribute("value") or "") == IN_JSON_ONLY

    write(page, "rule-json", "{")
    click(page, "#rule-save")
    until(page, "#rule-error", "JSON: ")
    changed = {"match": {"times": 2}, "apply": {"wire": "reset"}}
    write(page, "rule-json", json.dumps(changed))
    click(page, "#rule-save")

    until_rules(page, api, [changed])


def test_rule_is_deleted(page: webdriver.Chrome, api: Api) -> None:
    api.told("PUT", "rules", {"rules": RULES[:2]})
    until(page, "#rules li:nth-child(2)", "delete")

    click(page, "#rules li:nth-child(1) button:nth-of-type(3)")

    until_rules(page, api, [RULES[1]])
