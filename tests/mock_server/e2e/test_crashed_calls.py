"""An unexpected exception in a control call ends with one complete response and one log entry."""

import json
from collections.abc import Sequence
from functools import partial

import pytest

from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from mock_server.wiring import MockServer
from tests.mock_server.e2e.serving import running
from tests.mock_server.e2e.wire import connected, read_answer

CRASHING = b"GET /_mock/sandboxes HTTP/1.1\r\nHost: localhost\r\n\r\n"
REMOVING = (
    b"DELETE /_mock/sandbox?remove=true HTTP/1.1\r\nHost: localhost\r\n"
    b"Authorization: Bearer sk-later\r\n\r\n"
)


class BrokenStore(MemoryStore):
    """Raises an unexpected exception once."""

    is_broken = True

    async def sandboxes(self) -> Sequence[Sandbox]:
        if self.is_broken:
            self.is_broken = False
            raise LookupError("a bug of the store")
        return await super().sandboxes()


def test_crashed_call_gets_a_500_that_ends_the_connection_and_is_logged_once() -> None:
    make = partial(MockServer, make_store=BrokenStore)
    with (  # noqa: PT012  # `running` raises at its end.
        pytest.raises(AssertionError) as logged,
        running(Settings(), make=make) as mock,
    ):
        api = mock.api("sk-later")
        api.submit("a fox")
        with connected(mock) as line:
            line.sendall(CRASHING + REMOVING)
            answer, body = read_answer(line)
            assert line.recv(1) == b""
        tasks = api.told("GET", "tasks")["tasks"]

    assert len(tasks) == 1, "a request after the crash was handled, but has no response"
    assert (answer.status, answer.getheader("Connection")) == (500, "close")
    assert json.loads(body) == {
        "code": 500,
        "message": "Internal error",
        "data": {"error": "internal error of the mock server; its log has the traceback"},
    }
    assert str(logged.value).count("LookupError: a bug of the store") == 1
    assert str(logged.value).count("Traceback") == 1
