"""A server that ends in any way finds everything again with `--store sqlite:FILE`."""

import json
import os
import resource
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.deliveries import DeliveryState
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.settings import Settings
from mock_server.store.sqlite.opening import open_sqlite_store
from tests.mock_server.cli.commands import Started, run, started
from tests.mock_server.conftest import MakeReceiver
from tests.mock_server.e2e.receiver import Answer, Received
from tests.patience import PATIENCE_S

KEY = "sk-a-secret-key"
SUBMIT = "/api/v1/generateTask/gpt-image-1"
STATUS = "/api/v1/statusTask/gpt-image-1"
BALANCE = "/api/v1/apikeys/current-balance"
STATE = (
    "sandbox", "clock", "tasks", "callbacks", "rules", "next", "journal", "sandbox/snapshot",
)  # fmt: skip
ENDINGS = [signal.SIGKILL, signal.SIGTERM]


class Session:
    """What a client and a test do with one key."""

    def __init__(self, server: Started) -> None:
        self.server = server
        self._http = httpx.Client(
            base_url=server.url,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=PATIENCE_S,
            trust_env=False,
        )

    def submit(self, prompt: str = "a fox", **members: Any) -> str:
        answer = self._http.post(SUBMIT, json={"input": {"prompt": prompt}, **members})
        answer.raise_for_status()
        return str(answer.json()["data"]["taskId"])

    def status(self, task_id: str) -> dict[str, Any]:
        answer = self._http.get(STATUS, params={"taskId": task_id})
        answer.raise_for_status()
        data: dict[str, Any] = answer.json()["data"]
        return data

    def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self._http.request(method, f"/_mock/{path}", json=body)

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def state(self) -> dict[str, Any]:
        """Return everything that the control plane shows of the sandbox."""
        return {path: self.control("GET", path).json() for path in STATE}


@contextmanager
def session(file: Path, *switches: str) -> Iterator[Session]:
    """Serve from a file, on the direct path."""
    with started("--store", f"sqlite:{file}", "--log-level", "warning", *switches) as server:
        client = Session(server)
        try:
            yield client
        finally:
            client._http.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.mark.parametrize("ending", ENDINGS)
def test_everything_is_as_it_was(file: Path, ending: signal.Signals) -> None:
    manual = ("--clock", "manual")
    with session(file, *manual) as before:
        before.control("PATCH", "sandbox", {"rate_limit": 500, "balance": 12.5})
        every_third = {"operation": "balance", "nth": "every 3"}
        rule = {"match": every_third, "apply": {"refuse": {"status": 503}}}
        before.control("POST", "rules", {**rule, "id": "third"})
        fail = {"apply": {"outcome": {"fail": "NSFW"}}, "count": 5}
        before.control("POST", "next", fail)
        tasks = [before.submit(f"a fox, number {number}") for number in range(3)]
        before.control("POST", "clock/advance", {"seconds": 120})
        before.submit(request_type="callback", callback_url="http://127.0.0.1:9/")
        done = before.status(tasks[0])
        balances = [before.get(BALANCE).status_code for _ in range(4)]
        state = before.state()
        before.server.stop(ending)
    with session(file, *manual) as after:
        assert after.state() == state
        assert after.status(tasks[0]) == done
        assert [after.get(BALANCE).status_code for _ in range(2)] == [200, 503]

    assert balances == [200, 200, 503, 200]
    assert done["failCode"] == "NSFW"
    assert [each["count"] for each in state["next"]["next"]] == [1]


def test_restart_with_other_settings_after_a_kill_loses_nothing(
    file: Path, make_receiver: MakeReceiver
) -> None:
    receiver = make_receiver()
    with session(file, "--clock", "manual") as before:
        tasks = [
            before.submit(request_type="callback", callback_url=receiver.url()) for _ in range(3)
        ]
        plans = [before.control("GET", f"tasks/{task}").json()["plan"] for task in tasks]
        state = before.state()
        before.server.stop(signal.SIGKILL)
    others = ("--price", "1", "--result-ttl", "60", "--generation-time", "5", "--rate-limit", "7")
    with session(file, "--clock", "real", "--profile", "hostile", *others) as after:
        assert after.state() == state
        assert [after.control("GET", f"tasks/{task}").json()["plan"] for task in tasks] == plans
        after.control("POST", "clock/advance", {"seconds": 600})
        received = receiver.wait_for(3)
        balance = after.get(BALANCE).json()["data"]
        after.submit()
        after.control("POST", "clock/advance", {"seconds": 600})
        price = balance - after.get(BALANCE).json()["data"]
        state = after.state()
        after.server.stop(signal.SIGKILL)
    with session(file) as again:
        assert again.state() == state

    assert {task_of(each) for each in received} == {*tasks}
    assert price == pytest.approx(1.0)


def test_no_callback_is_lost_or_sent_again_after_kill(
    file: Path, make_receiver: MakeReceiver
) -> None:
    receiver = make_receiver()
    urgent = ("--clock", "manual", "--max-concurrent", "500")
    with session(file, *urgent) as before:
        process = before.server.process

        def kill_in_the_middle(_: bytes) -> Answer:
            if len(receiver.received) == 250:
                os.kill(process.pid, signal.SIGKILL)
            return Answer()

        receiver.choose = kill_in_the_middle
        accepted = {
            before.submit(request_type="callback", callback_url=receiver.url()) for _ in range(500)
        }
        before.control("PUT", "clock", {"mode": "real", "speed": 1000})
        process.wait(PATIENCE_S)
    delivered = delivered_tasks(file)
    with session(file, *urgent) as after:
        tasks = after.control("GET", "tasks?limit=1000").json()["tasks"]
        seen = [*receiver.received]
        while len(received := whole(seen)) < 500:
            seen = receiver.wait_for(len(seen) + 1)

    assert {task["task_id"] for task in tasks} == accepted == received.keys()
    assert 0 < len(delivered) < 500
    assert {received[task_id] for task_id in delivered} == {1}


def test_attempt_in_progress_at_a_kill_is_made_again(
    file: Path, make_receiver: MakeReceiver
) -> None:
    receiver = make_receiver()
    gate = receiver.block()
    with session(file, "--generation-time", "0") as before:
        task = before.submit(request_type="callback", callback_url=receiver.url())
        receiver.wait_for(1)
        before.server.stop(signal.SIGKILL)
    gate.set()
    with session(file):
        received = receiver.wait_for(2)

    assert list(map(task_of, received)) == [task, task]


def test_result_is_the_same_picture_at_the_same_path(file: Path) -> None:
    with session(file, "--generation-time", "0") as before:
        task = before.submit()
        [url] = json.loads(before.status(task)["resultJson"])["resultUrls"]
        picture = before.get(httpx.URL(url).path).content
        before.server.stop(signal.SIGKILL)
    with session(file) as after:
        assert after.get(httpx.URL(url).path).content == picture


@pytest.mark.parametrize("ending", ENDINGS)
def test_file_contains_no_api_key(file: Path, ending: signal.Signals) -> None:
    """Neither the log after a kill nor the checkpoint after a stop has it."""
    with session(file) as client:
        by_key = {"header": {"Authorization": f"Bearer {KEY}"}}
        rule = {"match": by_key, "apply": {"latency": "1ms"}}
        client.control("POST", "rules", rule).raise_for_status()
        client.status(client.submit())
        client.get(f"{STATUS}?taskId=unknown&key={KEY}")
        client.server.stop(ending)
    stored = b"".join(each.read_bytes() for each in file.parent.iterdir())

    assert b"a fox" in stored
    assert KEY.encode() not in stored


def test_second_server_is_rejected(file: Path) -> None:
    with session(file):
        rejected = run("--store", f"sqlite:{file}", "--port", "0")

    assert (rejected.returncode, rejected.stdout) == (2, "")
    assert rejected.stderr.startswith(f"Error: --store: {file} is used by another process; ")
    assert rejected.stderr.count("\n") == 1


def test_full_disk_is_503_until_there_is_space(file: Path) -> None:
    """A limit of the size of files does to the server what a full disk does."""
    with session(file) as client:
        task = client.submit()
        process, unlimited = client.server.process.pid, resource.RLIM_INFINITY
        size = Path(f"{file}-wal").stat().st_size
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size + 8192, unlimited))
        answer = until(client, 503, task)
        ready = client.control("GET", "ready")
        resource.prlimit(process, resource.RLIMIT_FSIZE, (unlimited, unlimited))
        until(client, 200, task)
        state = client.state()
        client.server.stop(signal.SIGKILL)
    with session(file) as after:
        entries = after.state()["journal"]["entries"]

    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["code"] == 503
    assert ready.status_code == 503
    assert "state.db" in ready.text
    assert entries == state["journal"]["entries"]


def until(client: Session, status: int, task_id: str) -> httpx.Response:
    """Repeat a request until it gets this status."""
    while True:
        answer = client.get(f"{STATUS}?taskId={task_id}")
        if answer.status_code == status:
            return answer


def delivered_tasks(file: Path) -> set[str]:
    """Return the tasks whose callback the file knows as delivered."""
    catalogue = load_catalogue(Settings())

    def template(seed: int) -> SandboxTemplate:
        return SandboxTemplate(
            seed=seed,
            settings=SandboxSettings(),
            clock=ClockSettings(),
            models=catalogue.models,
            fail_messages=catalogue.fail_messages,
        )

    store = open_sqlite_store(str(file), template, seed=0, is_seed_chosen=False)
    [sandbox] = store._sandboxes.values()
    store._file.close()
    return {each.task_id for each in sandbox.deliveries() if each.state is DeliveryState.DELIVERED}


def whole(received: Sequence[Received]) -> Counter[str]:
    """Count the callbacks of each task, without one that the kill has cut off."""
    return Counter(
        task_of(each) for each in received if len(each.body) == int(each.headers["content-length"])
    )


def task_of(received: Received) -> str:
    return str(json.loads(received.body)["data"]["taskId"])


@pytest.mark.parametrize("address", ["sqlite::memory:", "sqlite:///mock.db", "sqlite://mock.db"])
def test_address_of_other_programs_is_rejected(address: str) -> None:
    """They mean memory or a relative path there, and would be unexpected files here."""
    refused = run("--store", address, "--port", "0")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Error: --store: ")
    assert refused.stderr.endswith(f" (got {address})\n")
