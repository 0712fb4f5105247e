"""Waits for a condition in a sandbox: how they end, and outages of the store."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.requests import Request

from mock_server.control.resources.tasks import TaskIsIn
from mock_server.control.waiting import Waited, until
from mock_server.domain.errors import StoreUnavailable
from mock_server.domain.events import Change, Notice, Recorded
from mock_server.domain.store import SandboxReader
from mock_server.domain.task import TaskState
from mock_server.settings import Settings
from mock_server.store.memory_store import MemoryStore
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock, running
from tests.mock_server.fake_stores import WaitingStore
from tests.mock_server.runtime.listening import pass_time, settled
from tests.mock_server.store.redis.stores import TEMPLATE
from tests.patience import PATIENCE_S

PROBLEM = "the store is away"
TIMEOUT_S = 60.0


class SecondHasPassed:
    """A condition that time alone meets after a second."""

    def __init__(self) -> None:
        self._now_s = asyncio.get_running_loop().time
        self._met_s = self._now_s() + 1

    def look(self, _: SandboxReader) -> tuple[int, bool]:
        return 7, self._now_s() >= self._met_s

    def is_about(self, _: Notice) -> bool:
        return True

    def next_s(self, _: SandboxReader) -> float:
        return self._met_s - self._now_s()


async def waiting_in(store: WaitingStore) -> "asyncio.Task[Waited[int]]":
    sandbox = await store.open("0" * 16, is_broke=False, real_ms=0)
    request = Request({"type": "http"})
    task = asyncio.create_task(until(store, sandbox, SecondHasPassed(), TIMEOUT_S, request))
    await settled()
    return task


async def pass_all(seconds: float) -> None:
    pass_time(seconds)
    await settled()


def test_wait_fails_at_its_deadline_if_the_store_is_away_then() -> None:
    async def wait() -> None:
        store = WaitingStore(TEMPLATE)
        task = await waiting_in(store)
        store.problem = PROBLEM

        await pass_all(1)
        assert not task.done()  # Another process may have changed what the condition is about.
        await pass_all(TIMEOUT_S)

        with pytest.raises(StoreUnavailable, match=PROBLEM):
            await task

    asyncio.run(wait())


def test_wait_ends_soon_after_an_outage_if_its_condition_was_met_meanwhile() -> None:
    async def wait() -> None:
        store = WaitingStore(TEMPLATE)
        task = await waiting_in(store)
        store.problem = PROBLEM
        await pass_all(5)
        assert not task.done()

        store.problem = None
        await pass_all(1)

        ended = await task
        assert (ended.seen, ended.is_met) == (7, True)

    asyncio.run(wait())


class Sockets:
    """Requests of waits, each on a connection of its own."""

    def __init__(self, mock: RunningMock, api: Api) -> None:
        self._mock = mock
        self._api = api
        self._sandbox_id: str = api.told("GET", "sandbox")["id"]

    def wait(self, path: str) -> socket.socket:
        """Begin a wait; return its connection once the server waits."""
        open_before = self._followers()
        line = self._mock.connect()
        line.sendall(
            f"GET /_mock/{path} HTTP/1.1\r\nHost: {self._mock.host}\r\n"
            f"Authorization: Bearer {self._api.key}\r\n\r\n".encode()
        )
        self.until_open(open_before + 1)
        return line

    def _followers(self) -> int:
        store = self._mock.app._store
        assert isinstance(store, MemoryStore)
        return len(store._followers.get(self._sandbox_id, ()))

    def until_open(self, count: int) -> None:
        """Block until so many waits are open."""
        give_up_s = time.monotonic() + PATIENCE_S
        while self._followers() != count:
            assert time.monotonic() < give_up_s, f"{self._followers()} waits are open"
            self._api.told("GET", "clock")


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    with running(Settings(clock="manual", seed=5)) as mock:
        yield mock


@pytest.mark.parametrize("kind", ["journal", "task"])
def test_wait_ends_when_its_client_closes_the_connection(mock: RunningMock, kind: str) -> None:
    api = mock.api(f"sk-leaves-{kind}")
    task_id = api.submit("[[mock hold]]")
    path = f"tasks/{task_id}/wait" if kind == "task" else "journal/wait?count=9"
    sockets = Sockets(mock, api)
    lines = [sockets.wait(f"{path}{'&' if '?' in path else '?'}timeout=300") for _ in range(3)]

    lines.pop().close()
    sockets.until_open(2)
    for line in lines:
        line.close()
    sockets.until_open(0)


def test_client_that_stops_sending_is_told_that_its_wait_has_ended(mock: RunningMock) -> None:
    sockets = Sockets(mock, mock.api("sk-stops-sending"))
    with sockets.wait("journal/wait?count=9&timeout=300") as line:
        line.shutdown(socket.SHUT_WR)
        with line.makefile("rb") as answer:
            told = answer.read()

    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"connection: closed by the client, so the wait was cancelled" in told


@pytest.mark.parametrize(("outcome", "is_woken"), [("hold", False), ("polls=3", True)])
def test_status_request_wakes_a_wait_only_if_it_can_change_the_task(
    mock: RunningMock, api: Api, outcome: str, *, is_woken: bool
) -> None:
    """Before, each status request woke all waits: 1,500 of them delayed it by 60 ms."""
    task_id = api.submit(f"[[mock {outcome}]] a fox")
    api.status(task_id)
    every = asyncio.run(mock.app._store.sandboxes())
    [sandbox] = [each for each in every if each.task(task_id, 0) is not None]
    *_, (number, entry) = sandbox.entries()
    condition = TaskIsIn(task_id, TaskState.SUCCESS, lambda: 0)
    condition.look(sandbox)

    assert condition.is_about(Recorded(number, entry)) is is_woken
    assert condition.is_about(Change.CLOCK)
