"""The list of sandboxes: the last used first, and one of them is found by its API key."""

import re
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from mock_server.control.dashboard.sandbox_list import MAX_LISTED, age
from mock_server.settings import Settings
from tests import browser
from tests.mock_server.dashboard.looking import until
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock, running


@pytest.fixture(scope="module")
def crowded() -> Iterator[RunningMock]:
    """Serve more sandboxes than the page lists; each has one request."""
    with running(Settings(clock="manual", seed=5)) as mock:
        for number in range(MAX_LISTED + 3):
            mock.api(f"one-of-many-{number}").balance()
        yield mock


def listed(mock: RunningMock, query: str = "") -> list[str]:
    return re.findall(r'href="/_mock/\?sandbox=(\w+)"', mock.http.get(f"/_mock/{query}").text)


def sandbox_id(api: Api) -> str:
    found: str = api.told("GET", "sandbox")["id"]
    return found


def test_list_names_the_number_of_all_sandboxes(crowded: RunningMock) -> None:
    page = crowded.http.get("/_mock/").text

    total = int(re.findall(rf"{MAX_LISTED} of (\d+) sandboxes", page)[0])
    assert total >= MAX_LISTED + 3
    assert len(listed(crowded)) == MAX_LISTED


def test_last_used_sandbox_is_listed_first_on_page_and_in_json(crowded: RunningMock) -> None:
    old = crowded.api("one-of-many-0")
    old.told("POST", "next", {"apply": {"refuse": {"status": 429}}})
    crowded.api("one-of-many-1").balance()
    assert old.try_submit({}).status_code == 429

    told = crowded.http.get("/_mock/sandboxes").json()["sandboxes"]

    assert listed(crowded)[0] == told[0]["id"] == sandbox_id(old)
    used_ms = [each["used_ms"] for each in told]
    assert used_ms == sorted(used_ms, reverse=True)


def test_sandbox_without_requests_is_hidden_but_counted(crowded: RunningMock) -> None:
    unused = sandbox_id(crowded.api("only-a-look"))

    page = crowded.http.get("/_mock/").text

    assert unused not in page
    assert re.search(r"\d+ sandbox(es)? without requests (is|are) hidden", page)
    assert unused in listed(crowded, "?all=1")


def test_every_kind_of_request_makes_a_sandbox_visible() -> None:
    with running(Settings(clock="manual", seed=5)) as mock:
        api = mock.api("only-rejected")
        api.change(rate_limit=1)
        api.told("POST", "next", {"apply": {"refuse": {"status": 429}}})
        assert api.try_submit({}).status_code == 429

        assert listed(mock) == [sandbox_id(api)]
        assert "1 rejected" in mock.http.get("/_mock/").text


def test_sandbox_is_found_by_its_key_which_never_enters_a_url(
    chromium: webdriver.Chrome, crowded: RunningMock
) -> None:
    api = crowded.api("one-of-many-2")
    chromium.get(f"{crowded.url}/_mock/")
    until(chromium, "#list", f"{MAX_LISTED} of")

    chromium.find_element(By.ID, "key").send_keys("sk-invalid-key\n")
    until(chromium, ".find [role=alert]", "does not accept this API key")
    chromium.find_element(By.ID, "key").send_keys(f"{api.key}\n")

    until(chromium, "h1", sandbox_id(api))
    assert not [url for url in browser.requested(chromium) if api.key in url or "sk-inv" in url]
    assert ["401" in each for each in browser.complaints(chromium)] == [True]


def test_page_of_another_site_cannot_find_a_sandbox(crowded: RunningMock) -> None:
    sent = {"Origin": "https://evil.example"}

    answer = crowded.http.post("/_mock/find", data={"key": "one-of-many-2"}, headers=sent)

    assert answer.status_code == 403


def test_only_who_sees_all_sandboxes_finds_one_by_its_key() -> None:
    with running(Settings(clock="manual", admin_token="hush")) as mock:
        answer = mock.http.post("/_mock/find", data={"key": "any-key"})

        assert answer.status_code == 401
        assert 'name="token"' in answer.text
        admin = {"Authorization": "Bearer hush"}
        assert mock.http.get("/_mock/sandboxes", headers=admin).json() == {"sandboxes": []}


@pytest.mark.parametrize(
    ("elapsed_ms", "shown"),
    [(-5, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (7_200_000, "2 h"), (172_800_000, "2 d")],
)
def test_age_is_shown_in_its_largest_unit(elapsed_ms: int, shown: str) -> None:
    assert age(elapsed_ms) == shown
