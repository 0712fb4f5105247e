"""If the store waits, a status request of a task that has not ended is one command."""

from typing import Any

import pytest

from mock_server.domain.commands import AnswerStatus, Command, FinishTask, R
from mock_server.domain.operation import Operation
from mock_server.domain.sandbox.state import SandboxTemplate
from tests.mock_server.both_ways.stepped import HEAD, Client, Way, connected, settled
from tests.mock_server.e2e.api import STATUS, SUBMIT
from tests.mock_server.fake_stores import WaitingStore

pytestmark = pytest.mark.anyio


class LoggedStore(WaitingStore):
    """Notes the commands, and applies another one before the first that answers a status."""

    def __init__(self, template: SandboxTemplate) -> None:
        super().__init__(template)
        self.names: list[str] = []
        self.between: Command[Any] | None = None

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        self.names.append(type(command).__name__)
        if isinstance(command, AnswerStatus) and self.between is not None:
            between, self.between = self.between, None
            await super().execute(sandbox_id, between)
        return await super().execute(sandbox_id, command)


async def submitted(client: Client, prompt: str) -> str:
    body = b'{"request_type":"async","input":{"prompt":"%b"}}' % prompt.encode()
    head = f"POST {SUBMIT} HTTP/1.1\r\n{HEAD}Content-Length: {len(body)}\r\n"
    received = await answered(
        client, head.encode() + b"Content-Type: application/json\r\n\r\n" + body
    )
    return received.split(b'"taskId":"')[1].split(b'"')[0].decode()


async def answered(client: Client, request: bytes) -> bytes:
    client.protocol.data_received(request)
    await settled(client)
    return client.read()


def status_request(task_id: str) -> bytes:
    return f"GET {STATUS}?taskId={task_id} HTTP/1.1\r\n{HEAD}\r\n".encode()


def logged(client: Client) -> LoggedStore:
    store = client.app._store
    assert isinstance(store, LoggedStore)
    store.names.clear()
    return store


async def test_status_of_a_task_that_has_not_ended_is_one_command() -> None:
    async with connected(Way(make_store=LoggedStore)) as (_, client, _):
        task_id = await submitted(client, "[[mock hold]] a fox")
        store = logged(client)
        received = await answered(client, status_request(task_id))

        assert b'"state":"p' in received
        assert store.names == ["AnswerStatus"]
        assert store.metrics.requests[Operation.STATUS, 200].count == 1


@pytest.mark.parametrize(
    "prompt",
    ["[[mock pending=0s processing=0s]] a fox", "[[mock polls=3]] a fox"],
    ids=["ended", "by polls"],
)
async def test_any_other_status_is_two_commands(prompt: str) -> None:
    async with connected(Way(make_store=LoggedStore)) as (_, client, _):
        task_id = await submitted(client, prompt)
        store = logged(client)
        await answered(client, status_request(task_id))

        assert store.names == ["ReadStatus", "RecordExchange"]


async def test_response_that_was_foreseen_wrongly_is_not_sent() -> None:
    async with connected(Way(make_store=LoggedStore)) as (_, client, _):
        task_id = await submitted(client, "[[mock hold]] a fox")
        store = logged(client)
        store.between = FinishTask(real_ms=client.app._responder.now_ms(), task_id=task_id)
        received = await answered(client, status_request(task_id))

        [sandbox] = await store.sandboxes()
        assert b'"state":"success"' in received
        assert store.names == ["AnswerStatus", "ReadStatus", "RecordExchange"]
        assert [entry.answer in received for _, entry in sandbox.entries()][1:] == [True]
