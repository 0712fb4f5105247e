"""The form for a new task submits as a client would: rules, limits and faults apply."""

from collections.abc import Iterator

import httpx
import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import RunningMock, running


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=5)) as mock:
        yield mock


def submit(api: Api, body: Json, **headers: str) -> httpx.Response:
    """Submit as the page does: with the id of the sandbox and without its key."""
    named = {
        "Mock-Sandbox": api.told("GET", "sandbox")["id"],
        "Cookie": "apixo_mock_session=s3cret",
    }
    return api.http.post("/_mock/submit", json=body, headers=named | headers)


def test_task_of_the_page_is_recorded_like_one_of_the_client(mock: RunningMock) -> None:
    api = mock.api("new-task-1")

    answer = submit(api, {"input": {"prompt": "a fox", "num_images": 2}})

    assert answer.json()["data"]["taskId"] == api.told("GET", "tasks")["tasks"][0]["task_id"]
    assert len(answer.headers.get_list("date")) == 1
    (entry,) = api.told("GET", "journal")["entries"]
    assert entry["request"]["path"] == "/api/v1/generateTask/gpt-image-1"
    headers = dict(entry["request"]["headers"])
    assert headers["authorization"] == "Bearer [redacted]"
    assert "s3cret" not in str(entry)
    assert "mock-sandbox" not in headers


def test_invalid_task_of_the_page_is_rejected_like_one_of_the_client(mock: RunningMock) -> None:
    api = mock.api("new-task-2")
    body = {"input": {"prompt": "a fox", "num_images": 3}}

    answer = submit(api, body)

    assert (answer.status_code, answer.json()) == (400, api.try_submit(body).json())


def test_rules_and_wire_faults_apply_to_a_task_of_the_page(mock: RunningMock) -> None:
    api = mock.api("new-task-3")
    body = {"input": {"prompt": "a fox"}}
    api.told("POST", "next", {"apply": {"refuse": {"status": 503}}})
    api.told("POST", "next", {"apply": {"wire": "close"}})

    assert submit(api, body).status_code == 503
    with pytest.raises(httpx.RemoteProtocolError):
        submit(api, body)


def test_page_of_another_site_cannot_submit_a_task(mock: RunningMock) -> None:
    api = mock.api("new-task-4")

    answer = submit(api, {"input": {"prompt": "a fox"}}, Origin="https://evil.example")

    assert answer.status_code == 403
    assert api.told("GET", "tasks")["tasks"] == []


def test_audit_page_links_back_to_the_sandbox(mock: RunningMock) -> None:
    api = mock.api("new-task-5")
    api.submit()
    sandbox_id = api.told("GET", "sandbox")["id"]

    page = mock.http.get(f"/_mock/audit/page?sandbox={sandbox_id}")

    assert f'<body>\n<p><a href="/_mock/?sandbox={sandbox_id}">' in page.text
