"""A sandbox may be removed while a request is on its way: the request reaches the new one."""

import json
from http.client import HTTPResponse

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import SUBMIT, Api, Json
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.e2e.wire import connected, read_answer

RULE = {"match": {"prompt": "a cat"}, "apply": {"refuse": {"status": 503}}}
CALLS = [
    pytest.param("POST", SUBMIT, {"input": {"prompt": "a fox"}}, 200, id="submit"),
    pytest.param("PUT", "/_mock/rules", {"rules": [RULE]}, 200, id="put-rules"),
    pytest.param("POST", "/_mock/rules", RULE, 200, id="post-rules"),
    pytest.param("POST", "/_mock/next", {"apply": RULE["apply"]}, 200, id="next"),
    pytest.param("PATCH", "/_mock/sandbox", {"rate_limit": 5}, 200, id="settings"),
    pytest.param("PUT", "/_mock/clock", {"mode": "manual"}, 200, id="clock"),
    pytest.param("POST", "/_mock/clock/advance", {"seconds": 3}, 200, id="advance"),
    pytest.param("POST", "/_mock/tasks/task_x/finish", {"state": "success"}, 404, id="finish"),
]


@pytest.fixture
def mock(serve: Serve) -> RunningMock:
    """Serve to this test alone, for it removes all sandboxes."""
    return serve(Settings(clock="manual", seed=7))


def remove_meanwhile(
    mock: RunningMock, api: Api, method: str, path: str, body: Json
) -> tuple[HTTPResponse, bytes]:
    """Send a request whose sandbox is removed before its body arrives."""
    content = json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {mock.host}\r\nAuthorization: Bearer {api.key}\r\n"
        "Content-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    with connected(mock) as line:
        line.sendall(head.encode())
        assert b" 100 " in line.recv(1000)  # The server waits for the body.
        assert mock.http.delete("/_mock/sandboxes").status_code == 204
        line.sendall(content)
        return read_answer(line)


@pytest.mark.parametrize(("method", "path", "body", "status"), CALLS)
def test_request_reaches_new_sandbox(
    mock: RunningMock, api: Api, method: str, path: str, body: Json, status: int
) -> None:
    api.told("POST", "rules", RULE)

    answer, _ = remove_meanwhile(mock, api, method, path, body)

    assert answer.status == status


def test_rules_that_arrive_after_removal_hold(mock: RunningMock, api: Api) -> None:
    remove_meanwhile(mock, api, "PUT", "/_mock/rules", {"rules": [RULE]})

    assert len(api.told("GET", "rules")["rules"]) == 1


def test_snapshot_of_removed_sandbox_is_409(mock: RunningMock, api: Api) -> None:
    snapshot = api.told("GET", "sandbox/snapshot")

    answer, body = remove_meanwhile(mock, api, "PUT", "/_mock/sandbox/snapshot", snapshot)

    assert answer.status == 409
    assert "deleted" in json.loads(body)["data"]["error"]
