"""The timeouts of the settings, on real sockets; test_timeouts.py tests them in simulated time."""

import json

import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.e2e.wire import connected, read_answer

SHORT_MS = 50
PARTS = [b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"]


def first_bytes(mock: RunningMock, sent: bytes) -> bytes:
    with connected(mock) as line:
        line.sendall(sent)
        return line.recv(1_000)


@pytest.mark.parametrize("log_level", ["info", "warning"])
def test_idle_connection_is_closed_without_a_response(log_level: str) -> None:
    settings = Settings(keep_alive_timeout_ms=SHORT_MS, log_level=log_level)  # type: ignore[arg-type]
    with running(settings) as mock:
        assert first_bytes(mock, b"") == b""


@pytest.mark.parametrize("part", PARTS, ids=["headers", "body"])
def test_incomplete_request_is_answered_with_408_in_the_envelope(part: bytes) -> None:
    settings = Settings(head_timeout_ms=SHORT_MS, body_timeout_ms=SHORT_MS)
    with running(settings) as mock, connected(mock) as line:
        line.sendall(part)
        answer, body = read_answer(line)

    assert (answer.status, answer.getheader("connection")) == (408, "close")
    assert json.loads(body)["code"] == 408
    assert "-timeout" in json.loads(body)["data"]["error"]
