"""Clients cannot use up the file descriptors of a server."""

import asyncio
import json
import signal
import socket
import time
from contextlib import ExitStack
from http.client import HTTPException, HTTPResponse
from pathlib import Path

import pytest

from mock_server.testing.receiver import CallbackReceiver
from tests.mock_server.cli.commands import Started, started
from tests.mock_server.conftest import MakeReceiver
from tests.mock_server.e2e.api import BALANCE, SUBMIT
from tests.patience import PATIENCE_S
from tests.redis_server import RedisServer

_DATABASE = 13
MAX_FILES = 100
CONNECTIONS = 50  # The other half is kept for callbacks and the store.


def status(
    line: socket.socket, target: str = f"GET {BALANCE}", body: str = "", key: str = "sk-key"
) -> int:
    """Return the status of the response to a request, 0 if there is none."""
    head = [f"{target} HTTP/1.1", f"Authorization: Bearer {key}", "Content-Type: application/json"]
    lines = [*head, f"Content-Length: {len(body)}", "", body]
    try:
        line.sendall("\r\n".join(lines).encode())
        with HTTPResponse(line) as answer:
            answer.begin()
            answer.read()
            return answer.status
    except (ConnectionError, HTTPException):
        return 0


def is_served(server: Started) -> bool:
    """Tell whether a new connection is served."""
    with socket.create_connection(server.address, PATIENCE_S) as line:
        return status(line) == 200


def submit(line: socket.socket, receiver_url: str, key: str = "sk-key") -> int:
    """Submit a task that ends at once, with a callback; return the status of the response."""
    body = {
        "request_type": "callback",
        "callback_url": receiver_url,
        "input": {"prompt": "a fox [[mock pending=0 processing=0]]"},
    }
    return status(line, f"POST {SUBMIT}", json.dumps(body), key)


def submit_images(line: socket.socket, host: str) -> None:
    """Submit a task whose images the server downloads, and do not wait for the response."""
    images = [f"http://{host}/{number}.png" for number in range(5)]
    body = json.dumps({"input": {"prompt": "a fox", "image_urls": images}})
    head = f"POST {SUBMIT} HTTP/1.1\r\nAuthorization: Bearer sk-{id(line)}"
    head += "\r\nContent-Type: application/json"
    line.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def connections(server: Started, number: int, until: ExitStack) -> list[socket.socket]:
    lines = [socket.create_connection(server.address, PATIENCE_S) for _ in range(number)]
    for line in lines:
        until.enter_context(line)
    return lines


@pytest.fixture(params=["memory", "sqlite", "redis"])
def switches(
    request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer
) -> tuple[str, ...]:
    """Return the switches of a server with each kind of store."""
    asyncio.run(redis_server.flush(_DATABASE))
    stores = {
        "memory": "memory",
        "sqlite": f"sqlite:{tmp_path / 'store.db'}",
        "redis": f"{redis_server.address}?db={_DATABASE}",
    }
    return "--log-level", "warning", "--store", stores[request.param]


def test_too_many_connections_get_503_and_disturb_nothing_else(switches: tuple[str, ...]) -> None:
    with started(*switches, max_files=MAX_FILES) as server:
        with ExitStack() as until, CallbackReceiver.listening() as receiver:
            lines = connections(server, CONNECTIONS, until)
            accepted = {status(each) for each in lines}
            rejected = {status(each) for each in connections(server, MAX_FILES, until)}
            submitted = submit(lines[0], receiver.url)
            receiver.wait_for(1, PATIENCE_S)
        ends_s = time.monotonic() + PATIENCE_S
        while not is_served(server):  # It still closes the connections.
            assert time.monotonic() < ends_s
        _, _, errors = server.stop(signal.SIGTERM)

    assert (accepted, submitted) == ({200}, 200)
    assert {503} <= rejected <= {503, 0}
    # A first line, and a summary of all that follow.
    assert 1 <= errors.count("50 connections are open") <= 2 + errors.count("more within")
    assert "Traceback" not in errors


def test_receivers_that_never_respond_leave_files_for_clients(
    switches: tuple[str, ...], make_receiver: MakeReceiver
) -> None:
    receiver = make_receiver()
    gate = receiver.block()
    with started(*switches, max_files=MAX_FILES) as server:
        with socket.create_connection(server.address, PATIENCE_S) as line:
            submitted = {
                submit(line, receiver.url(), f"sk-{number % 8}") for number in range(MAX_FILES)
            }
            receiver.wait_for(1)
            served = [is_served(server) for _ in range(10)]
            gate.set()
            receiver.wait_for(MAX_FILES)
        _, _, errors = server.stop(signal.SIGTERM)

    assert submitted == {200}
    assert all(served)
    assert "Traceback" not in errors
    assert "Too many open files" not in errors


def test_hosts_of_images_that_never_respond_leave_files_for_clients() -> None:
    switches = ("--log-level", "warning", "--image-urls", "fetch")
    with started(*switches, max_files=MAX_FILES) as server, ExitStack() as until:
        silent = until.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1_024))
        silent.settimeout(PATIENCE_S)
        lines = connections(server, CONNECTIONS - 2, until)
        for line in lines:
            submit_images(line, f"127.0.0.1:{silent.getsockname()[1]}")
        until.enter_context(silent.accept()[0])  # The downloads have begun.
        served = [is_served(server) for _ in range(10)]
        until.close()
        _, _, errors = server.stop(signal.SIGTERM)

    assert all(served)
    assert "Traceback" not in errors
    assert "Too many open files" not in errors
