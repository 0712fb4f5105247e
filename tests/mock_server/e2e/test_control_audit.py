"""`GET /_mock/audit`: what the journal of a key tells of its client."""

import json
from xml.etree import ElementTree as ET

import pytest

from tests.mock_server.e2e.api import STATUS, SUBMIT, Api, Json


def rules(api: Api) -> dict[str, Json]:
    return {rule["id"]: rule for rule in api.told("GET", "audit")["rules"]}


def patient(api: Api) -> None:
    """Do it as a good client would."""
    task_id = api.submit()
    api.advance(20)
    while (told := api.status(task_id))["state"] != "success":
        api.advance(3)
    for url in json.loads(told["resultJson"])["resultUrls"]:
        api.http.get(url)


def hasty(api: Api) -> None:
    task_id = api.submit()
    for _ in range(3):
        api.advance("200ms")
        api.status(task_id)


def test_a_client_that_has_done_nothing_has_passed_nothing(api: Api) -> None:
    report = api.told("GET", "audit")

    assert {rule["verdict"] for rule in report["rules"]} <= {"INCONCLUSIVE", "SKIP"}
    assert report["summary"]["exit_status"] == 3


def test_a_hasty_client_is_told_what_to_change(api: Api) -> None:
    hasty(api)

    found = rules(api)

    assert found["C-POLL-002"]["verdict"] == "FAIL"
    assert "0.20 s" in found["C-POLL-002"]["reason"]
    assert "3 seconds" in found["C-POLL-002"]["advice"]
    assert api.told("GET", "audit")["summary"] | {"cases": 0, "rules": 0, "clauses": 0} == {
        "cases": 0, "rules": 0, "clauses": 0,
        "exit_status": 1, "outcome": "PASS", "manners": "FAIL",
    }  # fmt: skip


def test_a_clock_that_stands_still_tells_nothing_of_waits(api: Api) -> None:
    task_id = api.submit()
    api.status(task_id)
    api.status(task_id)

    assert rules(api)["C-POLL-001"]["verdict"] == "INCONCLUSIVE"
    assert rules(api)["C-POLL-002"]["verdict"] == "INCONCLUSIVE"


def test_keys_are_judged_apart(api: Api, other_api: Api) -> None:
    hasty(api)

    assert other_api.told("GET", "audit")["summary"]["exit_status"] == 3


def test_what_a_rule_has_injected_is_not_blamed_on_the_client(api: Api) -> None:
    api.told("PUT", "rules", {"rules": [
        {"match": {"operation": "submit", "times": 1}, "apply": {"refuse": {"status": 400}}},
    ]})  # fmt: skip
    api.send("POST", SUBMIT, body={"input": {"prompt": "a fox"}})

    assert rules(api)["C-REQ-003"]["verdict"] == "INCONCLUSIVE"
    assert rules(api)["C-LIM-005"]["verdict"] == "PASS"


@pytest.mark.parametrize(
    ("sent", "path"),
    [({"Accept": "text/html,application/xml;q=0.9"}, "audit"), ({}, "audit?format=html")],
    ids=["Accept", "format"],
)
def test_people_get_a_page(api: Api, sent: dict[str, str], path: str) -> None:
    api.send("POST", SUBMIT, body={"input": {"prompt": "<script>alert(1)</script>"}})

    answer = api.http.get(f"/_mock/{path}", headers={"Authorization": f"Bearer {api.key}"} | sent)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "C-POLL-002" in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("sent", "path"),
    [({"Accept": "application/xml"}, "audit"), ({}, "audit?format=junit")],
    ids=["Accept", "format"],
)
def test_machines_get_junit(api: Api, sent: dict[str, str], path: str) -> None:
    hasty(api)

    answer = api.http.get(f"/_mock/{path}", headers={"Authorization": f"Bearer {api.key}"} | sent)

    suite = ET.fromstring(answer.content)[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")


def test_the_key_stands_in_no_form_of_it(api: Api) -> None:
    api.send("POST", SUBMIT, body={"input": {"prompt": f"say {api.key}"}, api.key: 1})
    api.http.get(f"{STATUS}?taskId={api.key}", headers={"Authorization": f"Bearer {api.key}"})

    for shown_as in ("json", "html", "junit"):
        assert api.key not in api.control("GET", f"audit?format={shown_as}").text


def test_an_unknown_form_is_refused(api: Api) -> None:
    refused = api.control("GET", "audit?format=junt")

    assert refused.status_code == 400
    assert 'did you mean "junit"' in refused.json()["data"]["error"]


def test_a_good_client_is_clean(api: Api) -> None:
    patient(api)

    report = api.told("GET", "audit")

    bad = [rule for rule in report["rules"] if rule["verdict"] in {"FAIL", "WARN"}]
    assert [rule["id"] for rule in bad] == []
    assert report["summary"]["exit_status"] == 0
