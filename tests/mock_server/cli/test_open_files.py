"""Clients cannot use up the file descriptors of a server."""

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
from tests.mock_server.e2e.api import BALANCE, SUBMIT
from tests.patience import PATIENCE_S

MAX_FILES = 100
CONNECTIONS = 50  # The other half is kept for callbacks and the store.


def status(line: socket.socket, target: str = f"GET {BALANCE}", body: str = "") -> int:
    """Return the status of the response to a request, 0 if there is none."""
    head = [f"{target} HTTP/1.1", "Authorization: Bearer sk-key", "Content-Type: application/json"]
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


def connections(server: Started, number: int, until: ExitStack) -> list[socket.socket]:
    lines = [socket.create_connection(server.address, PATIENCE_S) for _ in range(number)]
    for line in lines:
        until.enter_context(line)
    return lines


@pytest.mark.parametrize("store", ["memory", "sqlite:{folder}/store.db"])
def test_too_many_connections_get_503_and_disturb_nothing_else(tmp_path: Path, store: str) -> None:
    switches = ("--log-level", "warning", "--store", store.format(folder=tmp_path))
    with started(*switches, max_files=MAX_FILES) as server:
        with ExitStack() as until, CallbackReceiver.listening() as receiver:
            lines = connections(server, CONNECTIONS, until)
            accepted = {status(each) for each in lines}
            rejected = {status(each) for each in connections(server, MAX_FILES, until)}
            body = {
                "request_type": "callback",
                "callback_url": receiver.url,
                "input": {"prompt": "a fox [[mock pending=0 processing=0]]"},
            }
            submitted = status(lines[0], f"POST {SUBMIT}", json.dumps(body))
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
