"""`GET /` leads people and programs to what the server offers."""

from html.parser import HTMLParser

import httpx
import pytest

from mock_server.web.start_page import documentation
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Json
from tests.mock_server.e2e.serving import RunningMock

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hrefs += [value or "" for name, value in attrs if name == "href"]


def start(mock: RunningMock, accept: str, host: str | None = None) -> httpx.Response:
    named = {} if host is None else {"Host": host}
    return mock.http.get("/", headers={"Accept": accept, **named}).raise_for_status()


def test_browser_gets_a_page_whose_links_work(mock: RunningMock) -> None:
    answer = start(mock, BROWSER)
    hrefs = Links(answer.text).hrefs

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert {f"{mock.url}/_mock/", f"{mock.url}/openapi.json", f"{mock.url}/_mock/openapi.json"} <= {
        *hrefs
    }
    local = [each for each in hrefs if each.startswith(("/", mock.url))]
    assert [mock.http.get(each).status_code for each in local] == [200] * len(local)
    assert SUBMIT in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html", ""])
def test_program_gets_the_links_as_json(mock: RunningMock, accept: str) -> None:
    answer = start(mock, accept)
    links: Json = answer.json()

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Accept"
    assert links["dashboard"] == f"{mock.url}/_mock/"
    assert {(each["method"], each["path"]) for each in links["endpoints"]} == {
        ("POST", SUBMIT), ("GET", STATUS), ("GET", BALANCE),
    }  # fmt: skip
    for name in ("dashboard", "openapi", "control_openapi", "info"):
        assert mock.http.get(links[name]).status_code == 200


def test_links_have_the_host_that_the_client_used(mock: RunningMock) -> None:
    assert start(mock, "*/*", "mock.test:80").json()["base_url"] == "http://mock.test:80"


def test_forged_host_is_in_no_page(mock: RunningMock) -> None:
    assert "<script>" not in start(mock, BROWSER, 'x"><script>').text


def test_page_loads_nothing_from_other_sites(mock: RunningMock) -> None:
    answer = start(mock, BROWSER)

    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("declared", "linked"),
    [
        (["Repository, https://code.example", "Documentation, https://docs.example"],
         "https://docs.example"),
        (["Issues, https://code.example/issues", "Repository, https://code.example"],
         "https://code.example"),
        ([], None),
    ],
    ids=["documentation", "repository", "nothing"],
)  # fmt: skip
def test_documentation_is_what_the_distribution_declares(
    declared: list[str], linked: str | None
) -> None:
    assert documentation(declared) == linked
