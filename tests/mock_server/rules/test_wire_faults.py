"""Each wire fault as a plain socket sees it."""

import gzip
import json
import socket
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api
from tests.mock_server.e2e.serving import PATIENCE_S, RunningMock

BODY = json.dumps({"input": {"prompt": "a fox"}}).encode()


class Heard(NamedTuple):
    """All that came until the connection ended, and whether it was reset."""

    raw: bytes
    is_reset: bool

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0].lower()

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def length(self) -> int:
        return int(self.head.partition(b"content-length: ")[2].partition(b"\r\n")[0])

    @property
    def status(self) -> bytes:
        return self.raw[9:12]

    def has_json(self) -> bool:
        try:
            json.loads(self.body)
        except ValueError:
            return False
        return True


def asked(mock: RunningMock, api: Api, line: str, body: bytes = b"") -> Heard:
    host, _, port = mock.host.partition(":")
    head = (
        f"{line} HTTP/1.1\r\nHost: {mock.host}\r\nAuthorization: Bearer {api.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    raw = bytearray()
    with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
        connection.sendall(head.encode() + body)
        try:
            while part := connection.recv(65_536):
                raw += part
        except ConnectionResetError:
            return Heard(bytes(raw), is_reset=True)
    return Heard(bytes(raw), is_reset=False)


def is_whole(heard: Heard) -> bool:
    return heard.length == len(heard.body) and not heard.is_reset


CLAIMS: dict[str, Callable[[Heard], bool]] = {
    "close": lambda heard: heard == Heard(b"", is_reset=False),
    "reset": lambda heard: heard == Heard(b"", is_reset=True),
    "half-body": lambda heard: 0 < len(heard.body) < heard.length,
    "dribble": lambda heard: is_whole(heard) and heard.has_json(),
    "garbage": lambda heard: bool(heard.raw) and not heard.raw.startswith(b"HTTP/"),
    "empty": lambda heard: heard.status == b"200" and is_whole(heard) and heard.body == b"",
    "html-error": lambda heard: (
        heard.status == b"502"
        and b"content-type: text/html" in heard.head
        and heard.body.startswith(b"<html>")
        and is_whole(heard)
    ),
    "wrong-content-type": lambda heard: (
        b"content-type: text/html" in heard.head and heard.has_json() and is_whole(heard)
    ),
    "invalid-json": lambda heard: (
        b"content-type: application/json" in heard.head and not heard.has_json() and is_whole(heard)
    ),
    "bad-gzip": lambda heard: b"content-encoding: gzip" in heard.head and not is_gzip(heard.body),
}


def is_gzip(body: bytes) -> bool:
    try:
        gzip.decompress(body)
    except (OSError, EOFError):
        return False
    return True


@pytest.mark.parametrize("wire", CLAIMS)
def test_the_answer_to_a_submit_breaks_and_its_task_exists_all_the_same(
    mock: RunningMock, api: Api, wire: str
) -> None:
    api.told("POST", "next", {"apply": {"wire": wire}})

    heard = asked(mock, api, f"POST {SUBMIT}", BODY)

    assert CLAIMS[wire](heard), heard
    assert len(api.told("GET", "tasks")["tasks"]) == 1
    [entry] = api.told("GET", "journal")["entries"]
    assert (entry["rule"], entry["fault"]) == ("next-1", f"wire {wire}")


@pytest.mark.parametrize("wire", CLAIMS)
def test_so_do_those_to_status_balance_and_result(mock: RunningMock, api: Api, wire: str) -> None:
    task_id = api.submit()
    api.advance("2m")
    lines = [f"GET {STATUS}?taskId={task_id}", f"GET {BALANCE}"]
    lines += [f"GET {api.result_urls(task_id)[0].removeprefix(mock.url)}"] * (
        wire not in {"dribble", "wrong-content-type", "invalid-json", "bad-gzip"}
    )
    api.told("POST", "next", {"apply": {"wire": wire}, "count": len(lines)})

    for line in lines:
        heard = asked(mock, api, line)
        assert CLAIMS[wire](heard), (line, heard.raw[:300])
    assert api.ask(task_id).status_code == 200
