"""Who may call (AUTH-1 … AUTH-5)."""

from collections.abc import Iterator

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.e2e.wire import exchange

CALLS = {
    "submit": ("POST", SUBMIT),
    "status": ("GET", f"{STATUS}?taskId=task_1"),
    "balance": ("GET", BALANCE),
    "submit-to-another-model": ("POST", "/api/v1/generateTask/flux"),
    "sandbox": ("GET", "/_mock/sandbox"),
    "clock": ("GET", "/_mock/clock"),
    "tasks": ("GET", "/_mock/tasks"),
    "callbacks": ("GET", "/_mock/callbacks"),
    "advance": ("POST", "/_mock/clock/advance"),
    "finish": ("POST", "/_mock/tasks/task_1/finish"),
}
REFUSED = {
    "no-header": None,
    "empty": "",
    "scheme-alone": "Bearer",
    "scheme-and-spaces": "Bearer   ",
    "key-alone": "sk-key",
    "another-scheme": "Basic sk-key",
    "longer-scheme": "Bearers sk-key",
    "scheme-glued-to-the-key": "Bearersk-key",
    "invalid-key": "Bearer sk-invalid",
    "longer-invalid-key": "Bearer sk-invalid-17",
}
ACCEPTED = {
    "as-written-in-the-docs": "Bearer {key}",
    "small-letters": "bearer {key}",
    "capitals": "BEARER {key}",
    "spaces-around": "  Bearer {key}  ",
    "spaces-between": "Bearer    {key}",
}

every_call = pytest.mark.parametrize(("method", "path"), CALLS.values(), ids=CALLS)


def head(method: str, path: str, authorization: str | None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: mock", "Content-Length: 0", "Connection: close"]
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    return "\r\n".join([*lines, "", ""]).encode()


@every_call
@pytest.mark.parametrize("authorization", REFUSED.values(), ids=REFUSED)
def test_a_request_without_a_valid_key_is_refused(
    mock: RunningMock, method: str, path: str, authorization: str | None
) -> None:
    answer, body = exchange(mock, head(method, path, authorization))

    assert answer.status == 401
    assert body.startswith(b'{"code":401,"message":"Invalid or missing API key","data":')
    assert answer.getheader("content-type") == "application/json"


@pytest.mark.parametrize("written", ACCEPTED.values(), ids=ACCEPTED)
def test_scheme_and_spaces_may_be_written_in_any_way(
    mock: RunningMock, api: Api, written: str
) -> None:
    task_id = api.submit()

    answer, _ = exchange(
        mock, head("GET", f"{STATUS}?taskId={task_id}", written.format(key=api.key))
    )

    assert answer.status == 200


@pytest.fixture(scope="module")
def choosy() -> Iterator[RunningMock]:
    with running(Settings(api_key=("sk-one", "sk-two"))) as mock:
        yield mock


@every_call
def test_a_server_with_listed_keys_knows_no_other(
    choosy: RunningMock, method: str, path: str
) -> None:
    assert choosy.api("sk-one-too").send(method, path).status_code == 401
    assert choosy.api("sk-one").send(method, path).status_code != 401
    assert choosy.api("sk-two").send(method, path).status_code != 401


def test_a_listed_key_that_begins_like_an_invalid_one_is_refused_all_the_same(
    serve: Serve,
) -> None:
    mock = serve(Settings(api_key=("sk-invalid-but-listed",)))

    assert mock.api("sk-invalid-but-listed").send("GET", BALANCE).status_code == 401


@every_call
@pytest.mark.parametrize("key", ["sk-forbidden", "sk-forbidden-17"])
def test_a_key_without_permission_gets_403_everywhere(
    mock: RunningMock, method: str, path: str, key: str
) -> None:
    answer = mock.api(key).send(method, path)

    assert (answer.status_code, answer.json()["code"]) == (403, 403)
    problem = "keys that begin with sk-forbidden have no permission; use another key"
    assert answer.json()["data"]["error"].removesuffix("; the key selects the sandbox") == problem
    if path.startswith("/api/"):
        assert answer.json()["message"] == "API key lacks permission"


def test_a_listed_key_without_permission_gets_403_all_the_same(serve: Serve) -> None:
    mock = serve(Settings(api_key=("sk-forbidden-1",)))

    assert mock.api("sk-forbidden-1").send("GET", BALANCE).status_code == 403


@pytest.mark.parametrize("key", ["sk-invalid-1", "sk-forbidden-1"])
def test_a_refused_key_leaves_no_sandbox_behind(serve: Serve, key: str) -> None:
    mock = serve(Settings())
    mock.api(key).send("GET", BALANCE)

    assert mock.http.get("/_mock/sandboxes").json() == {"sandboxes": []}
