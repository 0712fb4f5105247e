"""The limits of the contract with their real numbers, and the mock's own (LIM-1, LIM-2)."""

import re
import socket

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, SUBMIT, Api
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.e2e.wire import connected

BATCH = 50
SUBMISSION = b'{"input":{"prompt":"a fox"}}'


def statuses(mock: RunningMock, request: bytes, count: int) -> list[int]:
    """Send a request so many times on one connection; return what each is answered."""
    found: list[int] = []
    with connected(mock) as line:
        for _ in range(count // BATCH):
            line.sendall(request * BATCH)
            found += _read_statuses(line)
    return found


def _read_statuses(line: socket.socket) -> list[int]:
    read = b""
    while read.count(b'"data":') < BATCH or not read.endswith(b"}"):
        read += line.recv(1_000_000)
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", read)]


def head(api: Api, method: str, path: str, size: int = 0) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {api.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    ).encode()


def test_ten_thousand_requests_pass_in_a_minute_and_not_one_more(
    mock: RunningMock, api: Api
) -> None:
    answered = statuses(mock, head(api, "GET", BALANCE), 10_000 + BATCH)
    api.advance("59999ms")
    too_early = api.send("GET", BALANCE).status_code
    api.advance("1ms")

    assert answered == [200] * 10_000 + [429] * BATCH
    assert too_early == 429
    assert api.send("GET", BALANCE).status_code == 200


def test_a_thousand_tasks_run_at_once_and_not_one_more(mock: RunningMock, api: Api) -> None:
    request = head(api, "POST", SUBMIT, len(SUBMISSION)) + SUBMISSION

    answered = statuses(mock, request, 1_000 + BATCH)

    assert answered == [200] * 1_000 + [429] * BATCH
    assert api.counters()["live_tasks"] == 1_000


def test_the_mock_keeps_as_many_tasks_as_it_was_told_and_drops_ended_ones_first(
    serve: Serve,
) -> None:
    api = serve(Settings(clock="manual", max_tasks=2)).api("sk-key")
    held = api.submit("[[mock hold]]")
    ended = api.submit("[[mock pending=0 processing=0]]")
    newest = api.submit("[[mock hold]]")
    full = api.send("POST", SUBMIT, content=SUBMISSION)

    assert api.ask(ended).status_code == 404
    assert (api.ask(held).status_code, api.ask(newest).status_code) == (200, 200)
    assert api.counters()["tasks"]["dropped"] == 1
    assert (full.status_code, full.json()["code"]) == (503, 503)
