"""Who may use the dashboard: allowed hosts, origins, sessions."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from mock_server.settings import Settings
from mock_server.wiring import MockServer
from tests.mock_server.e2e.serving import RunningMock, running
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", allowed_host=("mock.example.com",))) as mock:
        yield mock


@pytest.fixture(scope="module")
def closed() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", admin_token="the-admin-token")) as mock:
        yield mock


def page(mock: RunningMock, path: str = "/_mock/", **headers: str) -> httpx.Response:
    return mock.http.get(path, headers=headers)


@pytest.mark.parametrize(
    "host", ["localhost:80", "127.0.0.1:1", "[::1]:80", "mock", "10.1.2.3", "mock.example.com"]
)
def test_allowed_host_gets_the_page(mock: RunningMock, host: str) -> None:
    answer = page(mock, Host=host)

    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/_mock/", "/_mock/sandboxes", "/_mock/events?sandbox=1"])
def test_unknown_host_gets_403(mock: RunningMock, path: str) -> None:
    answer = page(mock, path, Host="evil.example")

    assert answer.status_code == 403
    assert "--allowed-host" in answer.json()["data"]["error"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://"])
def test_page_of_another_site_cannot_act(mock: RunningMock, origin: str) -> None:
    api = mock.api(f"k {origin}")
    api.submit()
    sandbox_id = api.told("GET", "sandbox")["id"]

    answer = mock.http.delete(
        "/_mock/sandbox", headers={"Mock-Sandbox": sandbox_id, "Origin": origin}
    )
    dropped = mock.http.delete("/_mock/sandboxes", headers={"Origin": origin})

    assert (answer.status_code, dropped.status_code) == (403, 403)
    assert len(api.told("GET", "tasks")["tasks"]) == 1


def test_unknown_sandbox_is_404_and_shown_as_text(mock: RunningMock) -> None:
    named = {"Mock-Sandbox": "0" * 16}

    assert page(mock, "/_mock/tasks", **named).status_code == 404
    assert page(mock, "/_mock/?sandbox=<b>").status_code == 404
    assert "<b>" not in page(mock, "/_mock/?sandbox=<b>").text.partition("<h1>")[2]


def test_with_admin_token_no_sandbox_is_shown_before_sign_in(closed: RunningMock) -> None:
    sandbox_id = closed.api("a-key").told("GET", "sandbox")["id"]

    assert sandbox_id not in page(closed, f"/_mock/?sandbox={sandbox_id}").text
    assert page(closed, "/_mock/tasks", **{"Mock-Sandbox": sandbox_id}).status_code == 401
    wrong = closed.http.post("/_mock/session", data={"key": "sk-invalid-key"})
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers


def test_signing_in_with_an_api_key_shows_only_its_sandbox(closed: RunningMock) -> None:
    ids = {key: closed.api(key).told("GET", "sandbox")["id"] for key in ("one", "two")}

    signed = closed.http.post("/_mock/session", data={"key": "one"})
    cookie = signed.headers["set-cookie"]
    closed.http.cookies.clear()
    session = {"Cookie": cookie.partition(";")[0]}

    assert signed.status_code == 303
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "one" not in cookie.partition(";")[0].partition("=")[2].split("-")
    assert page(closed, "/_mock/tasks", **session, **{"Mock-Sandbox": ids["one"]}).is_success
    refused = page(closed, "/_mock/tasks", **session, **{"Mock-Sandbox": ids["two"]})
    assert refused.status_code == 401


def test_signing_in_with_the_admin_token_shows_all_sandboxes(closed: RunningMock) -> None:
    api = closed.api("three")
    api.balance()
    sandbox_id = api.told("GET", "sandbox")["id"]
    cookie = closed.http.post("/_mock/session", data={"key": "the-admin-token"}).headers[
        "set-cookie"
    ]
    closed.http.cookies.clear()

    shown = page(closed, "/_mock/", Cookie=cookie.partition(";")[0])

    assert sandbox_id in shown.text


def test_session_is_valid_in_every_process_that_shares_the_store(redis_server: RedisServer) -> None:
    settings = Settings(store=redis_server.address, admin_token="the-admin-token")
    with running(settings) as one, running(settings) as other:
        sandbox_id = one.api("six").told("GET", "sandbox")["id"]
        signed = one.http.post("/_mock/session", data={"key": "six"})
        session = {"Cookie": signed.headers["set-cookie"].partition(";")[0]}

        shown = page(other, "/_mock/tasks", **session, **{"Mock-Sandbox": sandbox_id})

    assert shown.status_code == 200


@pytest.mark.parametrize("sandbox", ["*", "of-another-key"])
def test_cookie_for_more_than_the_session_is_rejected(closed: RunningMock, sandbox: str) -> None:
    other_id = closed.api("of-another-key").told("GET", "sandbox")["id"]
    signed = closed.http.post("/_mock/session", data={"key": "seven"})
    name, _, value = signed.headers["set-cookie"].partition(";")[0].partition("=")
    closed.http.cookies.clear()
    target = other_id if sandbox != "*" else sandbox
    forged = f"{name}={target}.{value.partition('.')[2]}"

    shown = page(closed, "/_mock/tasks", Cookie=forged, **{"Mock-Sandbox": other_id})

    assert shown.status_code == 401


def test_session_of_a_deleted_sandbox_shows_no_other(closed: RunningMock) -> None:
    cookie = closed.http.post("/_mock/session", data={"key": "four"}).headers["set-cookie"]
    closed.http.cookies.clear()
    admin = {"Authorization": "Bearer the-admin-token"}
    closed.http.delete("/_mock/sandboxes", headers=admin).raise_for_status()
    other_id = closed.api("five").told("GET", "sandbox")["id"]

    shown = page(closed, f"/_mock/?sandbox={other_id}", Cookie=cookie.partition(";")[0])

    assert shown.status_code == 404
    assert other_id not in shown.text


def test_dashboard_path_without_slash_redirects_with_its_query(mock: RunningMock) -> None:
    moved = page(mock, "/_mock?sandbox=1")

    assert (moved.status_code, moved.headers["location"]) == (308, "/_mock/?sandbox=1")


def test_form_of_another_site_cannot_sign_in(closed: RunningMock) -> None:
    sent = {"Origin": "https://evil.example", "Accept": "text/html,*/*"}

    answer = closed.http.post("/_mock/session", data={"token": "the-admin-token"}, headers=sent)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "--cors https://evil.example" in answer.json()["data"]["error"]


def test_browser_gets_a_page_that_names_the_switch_for_an_unknown_host(mock: RunningMock) -> None:
    answer = page(mock, Host="evil.example", Accept="text/html")

    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert "--allowed-host" in answer.text


@pytest.mark.parametrize(("scheme", "is_secure"), [("http", False), ("https", True)])
def test_session_cookie_is_secure_exactly_with_tls(scheme: str, *, is_secure: bool) -> None:
    cookie = asyncio.run(signed_in_over(scheme))

    assert ("Secure" in cookie) is is_secure


async def signed_in_over(scheme: str) -> str:
    """Return the cookie of a sign-in; the server is called without a socket."""
    app = httpx.ASGITransport(app=MockServer(Settings(host="0.0.0.0")))
    async with httpx.AsyncClient(transport=app, base_url=f"{scheme}://127.0.0.1") as http:
        answer = await http.post("/_mock/session", data={"key": "seven"})
    return answer.headers["set-cookie"]


def test_sign_in_form_is_shown_again_to_use_another_key(closed: RunningMock) -> None:
    cookie = closed.http.post("/_mock/session", data={"key": "six"}).headers["set-cookie"]
    closed.http.cookies.clear()

    form = page(closed, "/_mock/session", Cookie=cookie.partition(";")[0])

    assert 'name="key"' in form.text
    assert 'name="token"' in form.text


def test_sign_in_form_asks_for_a_token_only_if_the_server_has_one() -> None:
    with running(Settings(clock="manual"), host="0.0.0.0") as mock:
        form = page(mock).text

    assert 'name="key"' in form
    assert 'name="token"' not in form


def test_open_server_needs_no_sign_in(mock: RunningMock) -> None:
    moved = page(mock, "/_mock/session")

    assert (moved.status_code, moved.headers["location"]) == (303, "/_mock/")
