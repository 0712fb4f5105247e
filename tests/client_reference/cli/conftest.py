"""A mock-server whose time is moved by hand, and calls of the command in this process.

A call in this process proves what a process of its own would, at a hundredth of its cost; only
tests of streams, signals and the process itself start one.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from io import BytesIO, TextIOWrapper
from threading import Lock
from typing import Protocol, Unpack

import httpx
import pytest
import stamina.instrumentation

from client_reference import Client
from client_reference.__main__ import run_command
from client_reference.command.cli import command
from client_reference.command.execution import Job, run
from client_reference.keywords import ClientKeywords
from tests.client_reference.cli.processes import Ended
from tests.client_reference.scripted import Answer, VirtualTime
from tests.mock_server.cli.commands import Started, started


class MockTime:
    """Sleeping moves the clock of a mock's sandbox."""

    def __init__(self, server: Started, key: str) -> None:
        self._server = server
        self._key = key
        self._now_s = 1_800_000_000.0
        self._lock = Lock()

    def clock(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now_s += seconds
            if seconds > 0:
                self._server.post("/_mock/clock/advance", {"seconds": seconds}, self._key)


class Mock:
    """A sandbox of a test's own."""

    def __init__(self, server: Started, key: str) -> None:
        self.server = server
        self.key = key

    @property
    def variables(self) -> dict[str, str]:
        """What tells a process of the command where to go."""
        return {"APIXO_BASE_URL": self.server.url, "APIXO_API_KEY": self.key}

    def client(self, **options: Unpack[ClientKeywords]) -> Client:
        time = MockTime(self.server, self.key)
        options = {**options, "clock": time.clock}
        return Client(self.key, self.server.url, sleep=time.sleep, **options)

    def submit(self, prompt: str) -> str:
        body = {"input": {"mode": "gpt-image-1", "prompt": prompt}}
        answer = self.server.post("/api/v1/generateTask/gpt-image-1", body, self.key)
        task_id: str = answer["data"]["taskId"]
        return task_id

    def task_ids(self) -> set[str]:
        tasks = self.server.get("/_mock/tasks", self.key)["tasks"]
        return {task["task_id"] for task in tasks}


class Call(Protocol):
    def __call__(self, *arguments: str, client: Callable[..., Client] | None = None) -> Ended:
        """Do what the arguments ask for, with this client or one of the mock."""


class Command:
    """The whole command in this process, as its console script runs it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, **variables: str) -> Ended:
        """Run it with these variables."""
        return self.on(b"", *arguments, **variables)

    def on(self, given: bytes, *arguments: str, **variables: str) -> Ended:
        """Run it with this on standard input."""
        for name in list(os.environ):
            if name.startswith("APIXO"):
                self._monkeypatch.delenv(name)
        for name, value in ({"NO_PROXY": "*"} | variables).items():
            self._monkeypatch.setenv(name, value)
        self._monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(given)))
        status = run_command(arguments)
        captured = self._capsys.readouterr()
        return Ended(status, captured.out, captured.err)


def scripted(service: Answer, time: VirtualTime | None = None) -> Callable[..., Client]:
    """Make clients of a service that answers by a script."""

    def client(**options: Unpack[ClientKeywords]) -> Client:
        passes = time or VirtualTime()
        options = {**options, "clock": passes.clock}
        return Client(
            "sk-secret-7f3a91",
            "http://service.test",
            transport=httpx.MockTransport(service),
            sleep=passes.sleep,
            **options,
        )

    return client


@pytest.fixture(scope="session")
def server() -> Iterator[Started]:
    with started("--clock", "manual", "--seed", "7") as server:
        yield server


@pytest.fixture
def mock(server: Started, request: pytest.FixtureRequest) -> Mock:
    return Mock(server, "sk-" + request.node.nodeid.encode().hex())


@pytest.fixture
def call(mock: Mock, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    def called(*arguments: str, client: Callable[..., Client] | None = None) -> Ended:
        job = command().main(list(arguments), "client-reference", standalone_mode=False)
        assert isinstance(job, Job)
        status = run(job, mock.client if client is None else client)
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    yield called
    stamina.instrumentation.set_on_retry_hooks(None)


@pytest.fixture
def command_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    yield Command(monkeypatch, capsys)
    stamina.instrumentation.set_on_retry_hooks(None)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes be interrupted, also when the tests run where a shell ignores interrupts."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
