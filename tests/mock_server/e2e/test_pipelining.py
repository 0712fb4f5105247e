"""Several requests on one connection, some of them invalid, cut anywhere."""

import json
import socket

import pytest

from mock_server.http_rejections import MAX_HEAD_BYTES
from tests.mock_server.e2e.api import BALANCE, SUBMIT, Api
from tests.mock_server.e2e.serving import RunningMock

BODY = json.dumps({"input": {"prompt": "a fox"}}).encode()


def submit(api: Api, *headers: str) -> bytes:
    head = [
        f"POST {SUBMIT} HTTP/1.1",
        "Host: mock.test",
        f"Authorization: Bearer {api.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + BODY


def balance(api: Api, *headers: str) -> bytes:
    head = [f"GET {BALANCE} HTTP/1.1", "Host: mock.test", f"Authorization: Bearer {api.key}"]
    return "\r\n".join([*head, *headers, "", ""]).encode()


def statuses(mock: RunningMock, *segments: bytes, half_closes: bool = False) -> list[bytes]:
    """Send segments on a fresh connection; return the statuses until the server closes it."""
    received = b""
    with mock.connect() as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for segment in segments:
            line.sendall(segment)
        if half_closes:
            line.shutdown(socket.SHUT_WR)
        while data := line.recv(65_536):
            received += data
    return [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]


def operations(api: Api) -> list[str]:
    return [each["operation"] for each in api.told("GET", "journal")["entries"]]


def test_complete_requests_are_answered_before_an_invalid_one_is_rejected(
    mock: RunningMock, api: Api
) -> None:
    segment = balance(api) + submit(api) + balance(api) + b"NONSENSE\r\n\r\n" + balance(api)

    assert statuses(mock, segment) == [b"200", b"200", b"200", b"400"]
    assert operations(api) == ["balance", "submit", "balance"]


def test_an_invalid_request_ends_the_connection_without_the_incomplete_one(
    mock: RunningMock, api: Api
) -> None:
    chunked = submit(api, "Transfer-Encoding: chunked").replace(b"Content-Length: 30\r\n", b"")

    segment = balance(api) + chunked.removesuffix(BODY) + b"3\r\nabcNONSENSE\r\n"

    assert statuses(mock, segment) == [b"200", b"400"]
    assert operations(api) == ["balance"]


@pytest.mark.parametrize("number", [1, 2, 20])
def test_a_client_that_has_stopped_sending_receives_all_its_responses(
    mock: RunningMock, api: Api, number: int
) -> None:
    segment = balance(api) * number + submit(api)[:-2]  # The last request is incomplete.

    assert statuses(mock, segment, half_closes=True) == [b"200"] * number
    assert operations(api) == ["balance"] * number


def test_an_offered_upgrade_is_ignored_in_each_request_of_a_segment(
    mock: RunningMock, api: Api
) -> None:
    offering = submit(api, "Connection: upgrade", "UPGRADE: h2c")

    answers = statuses(mock, balance(api) + offering + offering, half_closes=True)

    assert answers == [b"200", b"200", b"200"]
    [_, *submits] = api.told("GET", "journal")["entries"]
    assert all(["upgrade", "h2c"] in each["request"]["headers"] for each in submits)
    assert all(each["request"]["body"] == BODY.decode() for each in submits)


def test_long_headers_are_rejected_in_each_request_of_a_segment(
    mock: RunningMock, api: Api
) -> None:
    segment = balance(api) + balance(api, "X: " + "x" * MAX_HEAD_BYTES)

    assert statuses(mock, segment) == [b"200", b"431"]
