"""Requests that no path serves: of foreign web pages, and with an ambiguous head."""

import json
from collections.abc import Iterator

import httpx
import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.e2e.wire import exchange

EVIL = "http://evil.example"
PATHS = [SUBMIT, f"{STATUS}?taskId=x", BALANCE, "/results/x.png", "/_mock/rules", "/", "/nothing"]


@pytest.fixture(scope="module", params=["info", "warning"])
def mock(request: pytest.FixtureRequest) -> Iterator[RunningMock]:
    """Serve both ways: `warning` turns the direct path on."""
    settings = Settings(log_level=request.param, allowed_host=("mock.corp.example",))
    with running(settings) as mock:
        yield mock


def called(
    mock: RunningMock, path: str, origin: str, host: str = "127.0.0.1", method: str = "POST"
) -> httpx.Response:
    headers = {"Origin": origin, "Host": host, "Authorization": "Bearer sk-page"}
    return mock.http.request(method, path, headers=headers, json={"input": {"prompt": "a fox"}})


@pytest.mark.parametrize("path", PATHS)
def test_page_that_rebinds_its_name_to_this_server_is_rejected_on_every_path(
    mock: RunningMock, path: str
) -> None:
    answer = called(mock, path, f"{EVIL}:8080", "evil.example:8080")

    assert answer.status_code == 403
    assert answer.json()["message"] == "Forbidden"
    assert "--allowed-host" in answer.json()["data"]["error"]


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "chrome-extension://abcdef", "http://intranet", "http://203.0.113.7"]
)
def test_page_of_a_foreign_origin_is_rejected_and_told_about_cors(
    mock: RunningMock, origin: str
) -> None:
    before = mock.http.get("/_mock/metrics").text
    answer = called(mock, SUBMIT, origin)

    assert answer.status_code == 403
    assert f"--cors {origin}" in answer.json()["data"]["error"]
    assert mock.http.get("/_mock/metrics").text.count("operation") == before.count("operation")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:5173", "127.0.0.1"),
        ("http://[::1]:3000", "127.0.0.1"),
        ("https://app.localhost", "127.0.0.1"),
        ("http://10.1.2.3:8080", "10.1.2.3:8080"),
        ("http://mock:8080", "mock:8080"),
        ("https://mock.corp.example", "mock.corp.example"),
    ],
)
@pytest.mark.parametrize("path", [SUBMIT, "/_mock/clock/advance"])
def test_own_and_local_pages_are_served(
    mock: RunningMock, path: str, origin: str, host: str
) -> None:
    assert called(mock, path, origin, host).status_code != 403


def test_second_origin_is_checked_too(mock: RunningMock) -> None:
    lines = [
        f"GET {BALANCE} HTTP/1.1", "Host: localhost", "Authorization: Bearer sk-page",
        f"Origin: {EVIL}", "Origin: http://localhost",
    ]  # fmt: skip
    answer, _ = exchange(mock, "\r\n".join([*lines, "", ""]).encode())

    assert answer.status == 403


@pytest.mark.parametrize("path", [BALANCE, "/_mock/sandbox", "/unknown"])
@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("Host", "a", "a"),
        ("Authorization", "Bearer sk-page", "Bearer sk-page"),
        ("Authorization", "Bearer sk-page", "Bearer sk-other"),
        ("authorization", "Basic c2s=", "Bearer sk-other"),
    ],
)
def test_host_and_authorization_must_be_sent_once(
    mock: RunningMock, path: str, name: str, first: str, second: str
) -> None:
    """A proxy that checks only one of them would let the other one pass."""
    sent = {"Host": f"Host: {mock.host}", "Authorization": "Authorization: Bearer sk-page"}
    sent[name.title()] = f"{name}: {first}\r\n{name.title()}: {second}"
    answer, body = exchange(
        mock, "\r\n".join([f"GET {path} HTTP/1.1", *sent.values(), "", ""]).encode()
    )

    assert answer.status == 400
    assert json.loads(body)["data"]["error"] == f"{name.title()}: must be sent once"


@pytest.mark.parametrize("path", ["/_mock%2fsandboxes", "/%5fmock/sandboxes", "/%5Fmock%2F"])
def test_control_plane_is_not_served_at_an_encoded_prefix(mock: RunningMock, path: str) -> None:
    answer = mock.http.get(path)

    assert answer.status_code == 404
    assert "without percent-encoding" in answer.json()["data"]["error"]


def test_parts_of_control_paths_may_be_encoded(mock: RunningMock) -> None:
    assert mock.http.get("/_mock/s%61ndboxes").status_code == 200
    assert mock.http.get("/_mocking").json()["data"]["error"].startswith("GET /_mocking: unknown")
