"""The log has one line for each request, with what a developer looks for and without secrets."""

import logging
import re
from collections.abc import Iterator

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api
from tests.mock_server.e2e.logged import RequestLines, logged
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.e2e.wire import connected, exchange

MS = r"\d+\.\d ms"


@pytest.fixture
def lines(api: Api) -> Iterator[RequestLines]:
    """Collect lines; the sandbox exists before the first of them and after the last."""
    api.balance()
    with logged() as lines:
        yield lines


def sandbox_of(api: Api) -> str:
    sandbox_id: str = api.told("GET", "sandbox")["id"]
    return sandbox_id


def test_line_has_method_path_status_duration_sandbox_and_task(
    api: Api, lines: RequestLines
) -> None:
    task_id = api.submit()
    api.ask(task_id)
    submitted, asked = lines.all()

    ids = f"sandbox={sandbox_of(api)} task={task_id}"
    assert re.fullmatch(f"POST {SUBMIT} 200 {MS} {ids}", submitted)
    assert re.fullmatch(rf"GET {STATUS}\?taskId={task_id} 200 {MS} {ids}", asked)


def test_line_of_a_picture_names_sandbox_and_task(api: Api, lines: RequestLines) -> None:
    task_id = api.submit("[[mock pending=0 processing=0]]")
    [url] = api.result_urls(task_id)
    lines.all()

    api.http.get(url)

    [line] = lines.all()
    assert f"sandbox={sandbox_of(api)} task={task_id}" in line
    assert line.startswith("GET /results/")


def test_line_of_an_injected_fault_names_rule_and_fault(api: Api, lines: RequestLines) -> None:
    api.told("POST", "next", {"apply": {"refuse": {"status": 503, "message": "down"}}})
    lines.all()

    api.send("GET", BALANCE)

    [line] = lines.all()
    assert re.fullmatch(f'GET {BALANCE} 503 {MS} sandbox=.* rule=next.* fault="refuse 503"', line)


def test_line_of_a_connection_closed_by_a_fault_says_that_there_was_no_response(
    mock: RunningMock, api: Api, lines: RequestLines
) -> None:
    api.told("POST", "next", {"apply": {"wire": "close"}})
    lines.all()

    with connected(mock) as line:
        line.sendall(
            f"GET {BALANCE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode()
        )
        assert line.recv(100) == b""

    assert re.fullmatch(
        f'GET {BALANCE} no response {MS} sandbox=.* fault="wire close"', lines.next()
    )


def test_line_of_a_rejected_request_says_why(api: Api, lines: RequestLines) -> None:
    api.try_submit({"input": {"prompt": "a fox", "num_images": 3}})

    [line] = lines.all()
    assert line.endswith(": input.num_images: must be one of 1, 2, 4 (got 3)")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/nothing", 404, id="unknown-path"),
        pytest.param("GET", SUBMIT, 405, id="wrong-method"),
        pytest.param("PUT", "/_mock/health", 405, id="wrong-control-method"),
        pytest.param("POST", "/api/v1/generateTask/flux", 404, id="wrong-model"),
        pytest.param("POST", f"{SUBMIT}/", 404, id="trailing-slash"),
    ],
)
def test_request_that_reaches_no_endpoint_is_logged(
    api: Api, lines: RequestLines, method: str, path: str, status: int
) -> None:
    api.send(method, path)

    [line] = lines.all()
    assert line.startswith(f"{method} {path} {status} ")
    assert ": " in line


def test_line_of_a_wrong_method_names_the_sandbox(api: Api, lines: RequestLines) -> None:
    api.send("GET", SUBMIT)

    [line] = lines.all()
    assert f" sandbox={sandbox_of(api)}: " in line


def test_request_without_a_key_is_logged(mock: RunningMock, lines: RequestLines) -> None:
    mock.http.get(BALANCE)

    [line] = lines.all()
    assert re.match(f"GET {BALANCE} 401 {MS}: ", line)


def test_control_calls_are_logged_with_their_sandbox(api: Api, lines: RequestLines) -> None:
    sandbox_id = sandbox_of(api)

    [line] = lines.all()
    assert re.fullmatch(f"GET /_mock/sandbox 200 {MS} sandbox={sandbox_id}", line)


def test_probes_and_the_polling_of_the_dashboard_are_logged_at_debug_only(
    mock: RunningMock, api: Api
) -> None:
    sandbox_id = sandbox_of(api)

    def poll() -> None:
        mock.http.get("/_mock/health")
        mock.http.get("/_mock/")
        mock.http.get("/_mock/static/dashboard.js")
        mock.http.get("/_mock/tasks", headers={"Mock-Sandbox": sandbox_id})
        mock.http.head(f"/_mock/events?sandbox={sandbox_id}")

    with logged() as lines:
        poll()
        assert lines.all() == []
    with logged(logging.DEBUG) as lines:
        poll()
        assert len(lines.all()) == 5


def test_what_the_dashboard_changes_is_logged(mock: RunningMock, api: Api) -> None:
    named = {"Mock-Sandbox": sandbox_of(api)}
    with logged() as lines:
        mock.http.post("/_mock/clock/advance", json={"seconds": 1}, headers=named)

    [line] = lines.all()
    assert line.startswith("POST /_mock/clock/advance 200 ")


def test_no_request_is_logged_above_info(api: Api) -> None:
    with logged(logging.WARNING) as lines:
        api.balance()
        api.send("GET", "/nothing")

    assert lines.all() == []


def test_server_with_the_level_warning_does_not_look_at_its_requests(serve: Serve) -> None:
    mock = serve(Settings(log_level="warning"))
    with logged() as lines:
        mock.http.get(BALANCE)

    assert lines.all() == []


def test_line_breaks_and_escape_sequences_of_a_path_forge_no_line(
    mock: RunningMock, lines: RequestLines
) -> None:
    path = "/api/v1/x%0a2026-01-01%20INFO%20forged%1b%5B31m%c2%85%e2%80%a8%7f"
    exchange(mock, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    [line] = lines.all()
    assert line.isprintable()
    assert "%0A2026" in line
    assert "%1B[31m" in line


def test_no_key_of_a_request_or_of_the_server_is_logged(serve: Serve) -> None:
    mock = serve(Settings(api_key=("first-secret",), admin_token="second-secret"))
    header = {"Authorization": "Bearer third-secret"}
    with logged(logging.DEBUG) as lines:
        for key in ("first-secret", "second-secret", "third%2dsecret", "sk-fourth-secret"):
            mock.http.get(f"/{key}", headers=header)
            mock.http.get(f"/{key}/generateTask", headers=header)
            mock.http.get(f"{STATUS}?taskId={key}&api_key={key}&{key}", headers=header)
        mock.http.get(f"{STATUS}?api_key=fifth-secret&sixth-secret&a=%0a", headers=header)
        shown = lines.all()

    assert len(shown) == 13
    assert not [line for line in shown if re.search("secret", line)]
    assert all(line.isprintable() for line in shown)
