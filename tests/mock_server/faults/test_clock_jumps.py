"""The clock of the machine is set an hour back or a day forward: no client can see it."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server.testing.receiver import CallbackReceiver
from tests.mock_server.cli.commands import Started, started
from tests.mock_server.e2e.api import BALANCE, Api, Json
from tests.mock_server.faults.machine_clock import MachineClock
from tests.patience import PATIENCE_S
from tests.redis_server import RedisServer

_DATABASE = 13
JUMPS = ["-1h", "+1d"]
HOUR_S = 3600
STATES = ["pending", "processing", "success"]


class Client(Api):
    """A client that checks the time of all its responses: it goes on, but not by an hour."""

    def __init__(self, http: httpx.Client, key: str = "sk-key") -> None:
        super().__init__(http, key)
        self.dates_s: list[float] = []

    def send(self, *arguments: Any, **named: Any) -> httpx.Response:
        answer = super().send(*arguments, **named)
        self.dates_s.append(parsedate_to_datetime(answer.headers["date"]).timestamp())
        assert is_sorted(self.dates_s)
        assert self.dates_s[-1] - self.dates_s[0] < HOUR_S
        return answer

    def wait_for(self, task_id: str) -> None:
        """Poll a task until its success; its state never goes back."""
        give_up_s, state = time.monotonic() + PATIENCE_S, 0
        while state < STATES.index("success"):
            assert time.monotonic() < give_up_s, "the task does not end"
            earlier, state = state, STATES.index(self.status(task_id)["state"])
            assert state >= earlier


def is_sorted(values: Sequence[float]) -> bool:
    return list(values) == sorted(values)


@contextmanager
def client_of(server: Started, earlier: Client | None = None) -> Iterator[Client]:
    """Yield a client, which has got the responses of an earlier one."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as http:
        client = Client(http)
        client.dates_s += [] if earlier is None else earlier.dates_s
        yield client


@contextmanager
def serving(clock: MachineClock, *switches: str) -> Iterator[Started]:
    with started(*switches, "--log-level", "warning", **clock.variables) as server:
        yield server


def entries_of(client: Api) -> list[Json]:
    entries: list[Json] = client.told("GET", "journal?limit=1000")["entries"]
    return entries


def assert_in_order(entries: list[Json]) -> None:
    """Check the instants of all requests. A callback has its entry when it has ended."""
    requests = [each for each in entries if each["operation"] != "callback"]
    for name in ("seq", "at_ms", "real_ms"):
        assert is_sorted([each[name] for each in requests])


def task_of(payload: dict[str, dict[str, str]]) -> str:
    return payload["data"]["taskId"]


@pytest.mark.parametrize("jump", JUMPS)
def test_running_server_continues_undisturbed(machine_clock: MachineClock, jump: str) -> None:
    with (
        CallbackReceiver.listening() as receiver,
        serving(machine_clock, "--rate-limit", "100000") as server,
        client_of(server) as client,
    ):
        fast = Client(client.http, "sk-fast")
        fast.go_real(20)
        tasks = [
            each.submit(f"[[mock pending=0 processing={s}s]]", callback_url=receiver.url)
            for each, s in ((client, 0.6), (fast, 6), (client, 0.2))
        ]
        limited = Api(client.http, "sk-limited")
        limited.change(rate_limit=2)
        before = [limited.send("GET", BALANCE).status_code for _ in range(3)]
        machine_clock.set(jump)
        after = limited.send("GET", BALANCE).status_code
        client.wait_for(tasks[0])
        fast.wait_for(tasks[1])
        called = [task_of(each) for each in receiver.wait_for(3, PATIENCE_S)]
        [url] = client.result_urls(tasks[0])
        found = client.send("GET", url).status_code
        limited.advance("60s")
        again = limited.send("GET", BALANCE).status_code
        journals = [entries_of(each) for each in (client, fast)]

    assert (before, after, again, found) == ([200, 200, 429], 429, 200, 200)
    assert {*called} == {*tasks}
    assert called.index(tasks[2]) < called.index(tasks[0])
    for entries in journals:
        assert_in_order(entries)


def test_server_that_starts_after_its_clock_was_set_back_continues(
    machine_clock: MachineClock, tmp_path: Path
) -> None:
    store = ("--store", f"sqlite:{tmp_path / 'store.db'}")
    with CallbackReceiver.listening() as receiver:
        with serving(machine_clock, *store) as server, client_of(server) as before:
            task = before.submit("[[mock pending=0 processing=2s]]", callback_url=receiver.url)
            server.stop(signal.SIGKILL)
        machine_clock.set("-1h")
        with serving(machine_clock, *store) as server, client_of(server, before) as client:
            client.wait_for(task)
            called = [task_of(each) for each in receiver.wait_for(1, PATIENCE_S)]
            entries = entries_of(client)
            _, _, errors = server.stop(signal.SIGTERM)

    assert called == [task]
    assert_in_order(entries)
    assert "the clock of this machine is 3" in errors  # 3,600 s, without those of the restart.


def workers(server: Started) -> set[int]:
    pid = server.process.pid
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.mark.parametrize("jump", JUMPS)
def test_worker_that_is_replaced_has_the_time_of_the_others(
    redis_server: RedisServer, machine_clock: MachineClock, jump: str
) -> None:
    asyncio.run(redis_server.flush(_DATABASE))
    store = f"{redis_server.address}?db={_DATABASE}"
    with (
        CallbackReceiver.listening() as receiver,
        serving(machine_clock, "--store", store, "--seed", "7", "--workers", "2") as server,
        client_of(server) as client,
    ):
        task = client.submit("[[mock pending=0 processing=2s]]", callback_url=receiver.url)
        machine_clock.set(jump)
        for killed in workers(server):
            others = workers(server) - {killed}
            os.kill(killed, signal.SIGKILL)
            give_up_s = time.monotonic() + PATIENCE_S
            while not workers(server) > others:
                assert time.monotonic() < give_up_s
        with client_of(server, client) as client_of_new:
            client_of_new.wait_for(task)
            called = [task_of(each) for each in receiver.wait_for(1, PATIENCE_S)]
            for _ in range(8):
                with client_of(server, client_of_new) as each:
                    each.send("GET", BALANCE)

    assert {*called} == {task}  # It may come twice (CB-4): a worker was killed.
