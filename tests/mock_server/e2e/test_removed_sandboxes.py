"""A sandbox may be removed while a request is on its way: the request reaches the new one."""

import json
from functools import partial
from http.client import HTTPResponse

import pytest

from mock_server.domain.commands import Command, R
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from mock_server.wiring import MockServer
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api, Json
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.e2e.wire import connected, read_answer

SETTINGS = Settings(clock="manual", seed=7)
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


MORE_CALLS = [
    pytest.param("GET", f"{STATUS}?taskId=x", None, 404, id="status"),
    pytest.param("GET", BALANCE, None, 200, id="balance"),
    pytest.param("PUT", BALANCE, None, 405, id="wrong-method"),
    pytest.param("GET", "/_mock/sandbox", None, 200, id="counters"),
    pytest.param("DELETE", "/_mock/sandbox", None, 204, id="reset"),
    pytest.param("GET", "/_mock/sandbox/snapshot", None, 200, id="snapshot"),
    pytest.param("DELETE", "/_mock/rules", None, 200, id="delete-rules"),
    pytest.param("DELETE", "/_mock/next", None, 200, id="delete-next"),
]


class BusyStore(MemoryStore):
    """A store in which another process removes the sandbox right before the next commands."""

    removals = 0

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        if self.removals:
            self.removals -= 1
            await self.remove(sandbox_id)
        return await super().execute(sandbox_id, command)


@pytest.fixture
def mock(serve: Serve) -> RunningMock:
    """Serve to this test alone, for it removes all sandboxes."""
    return serve(SETTINGS)


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


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [each for each in CALLS + MORE_CALLS if each.id != "advance"],
)
def test_request_reaches_sandbox_that_others_have_created_anew(
    method: str, path: str, body: Json | None, status: int
) -> None:
    stores: list[BusyStore] = []

    def make_store(template: SandboxTemplate) -> BusyStore:
        stores.append(BusyStore(template))
        return stores[0]

    with running(SETTINGS, make=partial(MockServer, make_store=make_store)) as mock:
        api = mock.api("sk-busy")
        api.told("POST", "rules", RULE)
        stores[0].removals = 3
        answer = api.send(method, path, body=body)

    assert answer.status_code == status
    assert stores[0].removals < 3


def test_rules_that_arrive_after_removal_hold(mock: RunningMock, api: Api) -> None:
    remove_meanwhile(mock, api, "PUT", "/_mock/rules", {"rules": [RULE]})

    assert len(api.told("GET", "rules")["rules"]) == 1


def test_snapshot_of_removed_sandbox_is_409(mock: RunningMock, api: Api) -> None:
    snapshot = api.told("GET", "sandbox/snapshot")

    answer, body = remove_meanwhile(mock, api, "PUT", "/_mock/sandbox/snapshot", snapshot)

    assert answer.status == 409
    assert "deleted" in json.loads(body)["data"]["error"]
