"""SIGTERM while clients send: each gets complete responses, then the end of the connection."""

import asyncio
import json
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import pytest

from tests.mock_server.cli.commands import Started, started
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT
from tests.patience import PATIENCE_S
from tests.redis_server import RedisServer

_DATABASE = 13
CLIENTS = 50
REQUESTS = 40  # Of each client, pipelined.
TASK_ID = re.compile(rb'"taskId":"(task_[0-9a-f]+)"')
BODY = '{"input":{"prompt":"a fox"}}'
HEAD = "Host: mock.test\r\nAuthorization: Bearer sk-{number}\r\n"
KINDS = [
    f"GET {BALANCE} HTTP/1.1\r\n{HEAD}\r\n",
    f"GET {STATUS}?taskId=x HTTP/1.1\r\n{HEAD}\r\n",
    f"POST {SUBMIT} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n" + BODY.replace("{", "{{").replace("}", "}}"),
    f"GET /_mock/clock HTTP/1.1\r\n{HEAD}\r\n",
]


def received(server: Started, number: int, all_served: Barrier) -> bytes:
    """Pipeline requests, and return everything that the server sends until it has stopped."""
    sent = "".join(KINDS[at % len(KINDS)].format(number=number) for at in range(REQUESTS)).encode()
    data = b""
    with socket.create_connection(server.address, PATIENCE_S) as line:
        cut = sent.index(b"\r\n\r\n") + 4
        line.sendall(sent[:cut])
        data += line.recv(65_536)
        all_served.wait(PATIENCE_S)
        try:
            line.sendall(sent[cut:])
            while part := line.recv(65_536):
                data += part
        except ConnectionError:  # The server may close a connection before it has read everything.
            pass
    return data


def rest_of_responses(data: bytes, statuses: set[int]) -> bytes:
    """Collect the statuses of all complete responses; return the rest of the data."""
    while match := re.match(rb"HTTP/1\.1 (\d{3}) (?:.*?\r\n)+?\r\n", data, re.DOTALL):
        length = re.search(rb"(?i)content-length: (\d+)\r\n", match[0])
        assert length is not None, match[0]
        end = match.end() + int(length[1])
        if len(data) < end:
            break
        statuses.add(int(match[1]))
        data = data[end:]
    return data


@pytest.mark.parametrize("log_level", ["warning", "info"], ids=["direct", "ordinary"])
def test_stopping_server_sends_only_complete_responses(log_level: str) -> None:
    everything, errors = stopped_under_load("--log-level", log_level)

    assert_complete(everything)
    assert " ERROR " not in errors


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_stopping_server_keeps_every_task_that_it_has_accepted(
    tmp_path: Path, redis_server: RedisServer, store: str
) -> None:
    switches = ["--store", f"sqlite:{tmp_path / 'store.db'}", "--log-level", "warning"]
    if store == "redis":
        asyncio.run(redis_server.flush(_DATABASE))
        switches[1] = f"{redis_server.address}?db={_DATABASE}"
        switches += ["--workers", "2"]
    everything, errors = stopped_under_load(*switches)
    with started(*switches) as server:
        kept = [
            {each["task_id"] for each in server.get("/_mock/tasks?limit=1000", key)["tasks"]}
            for key in map("sk-{}".format, range(CLIENTS))
        ]

    accepted = [{each.decode() for each in TASK_ID.findall(data)} for data in everything]
    assert_complete(everything)
    assert any(accepted)
    assert all(of_client <= kept[number] for number, of_client in enumerate(accepted))
    assert " ERROR " not in errors


def stopped_under_load(*switches: str) -> tuple[list[bytes], str]:
    """Stop a server while many clients send; return what each of them got, and the log."""
    all_served = Barrier(CLIENTS + 1)
    with (
        started(*switches, "--rate-limit", "100000") as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        clients = [pool.submit(received, server, each, all_served) for each in range(CLIENTS)]
        all_served.wait(PATIENCE_S)
        status, _, errors = server.stop(signal.SIGTERM)
        everything = [client.result(PATIENCE_S) for client in clients]

    assert status == 0
    return everything, errors


def assert_complete(everything: list[bytes]) -> None:
    statuses: set[int] = set()
    assert [rest_of_responses(each, statuses) for each in everything] == [b""] * CLIENTS
    assert {200} <= statuses <= {200, 404, 429}


def test_server_stops_although_clients_and_rules_are_slow() -> None:
    with started("--log-level", "warning") as server, ExitStack() as until:
        reads_nothing, is_delayed = (
            until.enter_context(socket.create_connection(server.address, PATIENCE_S))
            for _ in range(2)
        )
        prompt = "a fox [[mock pending=0 processing=0]]"
        task = server.post(SUBMIT, {"input": {"prompt": prompt, "size": "1536x1024"}})["data"]
        result = json.loads(server.get(f"{STATUS}?taskId={task['taskId']}")["data"]["resultJson"])
        path = result["resultUrls"][0].partition(server.address[0])[2].partition("/")[2]
        reads_nothing.sendall(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 500)
        is_begun = reads_nothing.recv(8)
        server.post("/_mock/next", {"apply": {"latency": "60s"}}, key="sk-1")
        is_delayed.sendall(KINDS[0].format(number=1).encode() * 2)
        server.get(BALANCE)  # Afterwards, the requests before it have arrived.
        status, _, errors = server.stop(signal.SIGTERM)
        answer = is_delayed.recv(1)

    assert (is_begun, status, answer) == (b"HTTP/1.1", 0, b"")
    assert "stopped before clients had all responses: 2 connections" in errors
    assert " ERROR " not in errors
