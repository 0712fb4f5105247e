"""Web pages of allowed origins can call the server and read what it answers; others cannot."""

from collections.abc import Iterator

import httpx
import pytest

from mock_server.settings import Settings, load_settings
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api
from tests.mock_server.e2e.logged import logged
from tests.mock_server.e2e.serving import RunningMock, running

PAGE = "https://app.example"
LOCAL_PAGE = "http://localhost:5173"
OTHER_PAGE = "https://evil.example"
PATHS = [SUBMIT, f"{STATUS}?taskId=x", BALANCE, "/results/x.png", "/_mock/sandbox", "/nothing"]


@pytest.fixture(scope="module")
def some() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=7, cors=(PAGE, LOCAL_PAGE))) as mock:
        yield mock


@pytest.fixture(scope="module")
def every() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=7, cors=("*",), provenance=False)) as mock:
        yield mock


def preflight(mock: RunningMock, path: str, origin: str, **headers: str) -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return mock.http.options(path, headers=asked | headers)


def allowed_origin(answer: httpx.Response) -> str | None:
    origin: str | None = answer.headers.get("access-control-allow-origin")
    return origin


def varies_by_origin(answer: httpx.Response) -> bool:
    return "Origin" in answer.headers.get_list("vary")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [PAGE, LOCAL_PAGE])
def test_preflight_of_an_allowed_origin_allows_methods_and_headers(
    some: RunningMock, path: str, origin: str
) -> None:
    answer = preflight(some, path, origin)

    assert (answer.status_code, answer.content) == (204, b"")
    assert allowed_origin(answer) == origin
    assert varies_by_origin(answer)
    assert {"GET", "POST", "PATCH", "DELETE"} <= {
        *answer.headers["access-control-allow-methods"].split(", ")
    }
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "date" in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_preflight_of_another_origin_allows_nothing(some: RunningMock, path: str) -> None:
    answer = preflight(some, path, OTHER_PAGE)

    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert varies_by_origin(answer)


def test_preflight_from_a_public_page_to_loopback_is_allowed(some: RunningMock) -> None:
    answer = preflight(some, SUBMIT, PAGE, **{"Access-Control-Request-Private-Network": "true"})

    assert answer.headers["access-control-allow-private-network"] == "true"


def test_preflight_counts_toward_no_limit_and_is_in_no_journal(some: RunningMock) -> None:
    api = some.api("sk-counted")
    before = api.counters()
    preflight(some, SUBMIT, PAGE, Authorization="Bearer sk-counted")
    preflight(some, SUBMIT, OTHER_PAGE, Authorization="Bearer sk-counted")

    assert api.counters() == before
    assert api.told("GET", "journal")["entries"] == []


def readable(api: Api, origin: str) -> dict[int, httpx.Response]:
    """Return responses of many kinds to requests of a page, by status."""
    [url] = api.result_urls(api.submit("[[mock pending=0 processing=0]]"))
    api.change(rate_limit=5)
    page = {"Origin": origin}
    answers = [
        api.send("GET", url, headers=page),
        api.send("GET", url, headers=page | {"Range": "bytes=0-9"}),
        api.send("POST", SUBMIT, body={}, headers=page),
        api.http.get(BALANCE, headers=page),
        api.send("GET", f"{STATUS}?taskId=x", headers=page),
        api.send("PUT", SUBMIT, headers=page),
        api.send("GET", BALANCE, headers=page),
        api.send("DELETE", "/_mock/sandbox", headers=page),
    ]
    return {each.status_code: each for each in answers}


def test_page_of_an_allowed_origin_can_read_results_and_errors(some: RunningMock) -> None:
    answers = readable(some.api("sk-readable"), PAGE)

    assert set(answers) == {200, 206, 400, 401, 404, 405, 429, 204}
    for answer in answers.values():
        assert allowed_origin(answer) == PAGE
        assert varies_by_origin(answer)
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"Date", "Retry-After", "Mock-Rule", "Mock-Fault"} <= set(exposed)


def test_page_of_another_origin_can_read_nothing(some: RunningMock) -> None:
    for answer in readable(some.api("sk-unreadable"), OTHER_PAGE).values():
        assert allowed_origin(answer) is None
        assert varies_by_origin(answer)


def test_response_with_a_fault_can_be_read(some: RunningMock) -> None:
    api = some.api("sk-fault")
    api.told("POST", "next", {"apply": {"wire": "html-error"}})

    answer = api.send("GET", BALANCE, headers={"Origin": PAGE})

    assert (answer.status_code, allowed_origin(answer)) == (502, PAGE)


def test_with_every_origin_allowed_caches_need_not_know_the_origin(every: RunningMock) -> None:
    """A picture that was cached without `Origin` can be read by a script later."""
    answers = [every.http.get(BALANCE), every.http.get(BALANCE, headers={"Origin": OTHER_PAGE})]

    assert [allowed_origin(each) for each in answers] == ["*", "*"]
    assert not any(varies_by_origin(each) for each in answers)


def test_without_provenance_no_header_of_the_mock_is_exposed(every: RunningMock) -> None:
    assert "Mock" not in every.http.get(BALANCE).headers["access-control-expose-headers"]


@pytest.mark.parametrize("served", ["some", "every"])
def test_no_response_allows_cookies(served: str, request: pytest.FixtureRequest) -> None:
    mock: RunningMock = request.getfixturevalue(served)
    for answer in (preflight(mock, SUBMIT, PAGE), mock.http.get("/", headers={"Origin": PAGE})):
        assert "access-control-allow-credentials" not in answer.headers


def test_without_the_setting_no_page_can_read_anything(mock: RunningMock) -> None:
    answers = [preflight(mock, SUBMIT, PAGE), mock.http.get(BALANCE, headers={"Origin": PAGE})]

    assert [allowed_origin(each) for each in answers] == [None, None]


def test_page_of_an_allowed_origin_controls_the_sandbox_of_its_key(some: RunningMock) -> None:
    api = some.api("sk-page")
    answer = api.send("PATCH", "/_mock/sandbox", body={"rate_limit": 3}, headers={"Origin": PAGE})

    assert (answer.status_code, allowed_origin(answer)) == (200, PAGE)


@pytest.mark.parametrize(
    ("served", "origin"),
    [
        ("some", PAGE),
        ("some", OTHER_PAGE),
        ("every", OTHER_PAGE),
        ("every", "http://203.0.113.7"),
        ("every", "http://intranet"),
        ("every", "null"),
    ],
)
def test_page_without_a_key_is_stopped_by_the_guard_all_the_same(
    served: str, origin: str, request: pytest.FixtureRequest
) -> None:
    mock: RunningMock = request.getfixturevalue(served)
    sandbox_id = mock.api("sk-victim").told("GET", "sandbox")["id"]
    page = {"Origin": origin}
    answers = [
        mock.http.get("/_mock/sandboxes", headers=page),
        mock.http.delete("/_mock/sandboxes", headers=page),
        mock.http.get("/_mock/tasks", headers=page | {"Mock-Sandbox": sandbox_id}),
        mock.http.get(f"/_mock/events?sandbox={sandbox_id}", headers=page),
        mock.http.post("/_mock/session", headers=page, data={"key": "sk-victim"}),
    ]

    assert [each.status_code for each in answers] == [403] * len(answers)


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:1", "http://[::1]"])
def test_local_page_needs_no_key_on_loopback(every: RunningMock, origin: str) -> None:
    answer = every.http.get("/_mock/sandboxes", headers={"Origin": origin})

    assert answer.status_code == 200


def test_dashboard_works_by_any_address_with_every_origin_allowed(every: RunningMock) -> None:
    own = {"Origin": "http://10.1.2.3:8080", "Host": "10.1.2.3:8080"}

    assert every.http.get("/_mock/sandboxes", headers=own).status_code == 200


def test_log_says_how_to_allow_a_page_that_the_browser_blocks(mock: RunningMock) -> None:
    with logged() as lines:
        preflight(mock, SUBMIT, LOCAL_PAGE)
        mock.http.get("/", headers={"Origin": LOCAL_PAGE, "Sec-Fetch-Site": "same-site"})
        shown = lines.all()

    hint = f"the browser blocks the web page of {LOCAL_PAGE}; allow it with --cors {LOCAL_PAGE}"
    assert [line.partition(": ")[2] for line in shown] == [hint, hint]


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("http://localhost:5173/", "http://localhost:5173"),
        ("HTTPS://App.Example:443", "https://app.example"),
        ("http://app.example:80", "http://app.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://a:8080", "http://a:8080"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("null", "null"),
        ("*", "*"),
    ],
)
def test_origin_is_compared_as_browsers_write_it(written: str, origin: str) -> None:
    settings = load_settings({}, {"MOCK_SERVER_CORS": f"{written}, http://b"}, None)

    assert settings.cors == (origin, "http://b")
