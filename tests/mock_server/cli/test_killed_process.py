"""Several servers are one mock in Redis: if one is killed, the others continue with its work."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from mock_server.store.redis.processes import LEASE_MS
from tests.mock_server.cli.commands import Started, started
from tests.mock_server.conftest import MakeReceiver
from tests.mock_server.e2e.receiver import Answer, Receiver
from tests.patience import PATIENCE_S
from tests.properties import is_deep
from tests.redis_server import RedisServer

SUBMIT = "/api/v1/generateTask/gpt-image-1"
SHARED_KEYS = ("sk-shared-1", "sk-shared-2", "sk-shared-3")


@pytest.fixture
def servers(redis_server: RedisServer) -> Iterator[list[Started]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                started(
                    *("--store", f"{redis_server.address}?db=7", "--log-level", "warning"),
                    *("--clock", "manual", "--max-concurrent", "2000", "--rate-limit", "5000"),
                )
            )
            for _ in range(3)
        ]


def arrivals_by_task(receiver: Receiver) -> dict[str, list[float]]:
    """Return when the callbacks of each task came, without one that the kill has cut off."""
    arrivals: dict[str, list[float]] = {}
    for each in list(receiver.received):
        if len(each.body) == int(each.headers["content-length"]):
            task = str(json.loads(each.body)["data"]["taskId"])
            assert isinstance(each.noted, float)
            arrivals.setdefault(task, []).append(each.noted)
    return arrivals


@pytest.mark.deep
def test_no_callback_is_lost_when_one_of_three_servers_is_killed(
    servers: list[Started], make_receiver: MakeReceiver
) -> None:
    count = 2_000 if is_deep() else 200
    receiver = make_receiver()
    killed = servers[0]

    killed_s = 0.0

    def kill_in_the_middle(_: bytes) -> Answer:
        nonlocal killed_s
        if len(receiver.received) == count // 2:
            os.kill(killed.process.pid, signal.SIGKILL)
            killed_s = time.monotonic()
        return Answer()

    receiver.choose = kill_in_the_middle
    receiver.note = time.monotonic
    with httpx.Client(timeout=PATIENCE_S, trust_env=False) as http:

        def call(server: Started, key: str, method: str, path: str, body: object) -> httpx.Response:
            headers = {"Authorization": f"Bearer {key}"}
            answer = http.request(method, server.url + path, json=body, headers=headers)
            answer.raise_for_status()
            return answer

        def server_and_key(number: int) -> tuple[Started, str]:
            """Return a shared key, or one that only this server ever serves."""
            server = number % 3
            keys = (*SHARED_KEYS, f"sk-only-{server}")
            return servers[server], keys[number // 3 % 4]

        body = {
            "request_type": "callback",
            "callback_url": receiver.url(),
            "input": {"prompt": "a fox"},
        }
        accepted = {
            str(call(*server_and_key(number), "POST", SUBMIT, body).json()["data"]["taskId"])
            for number in range(count)
        }
        # The server that is killed has claimed most callbacks by then.
        faster = {"mode": "real", "speed": 1000}
        for number in (2, 1):
            call(servers[number], f"sk-only-{number}", "PUT", "/_mock/clock", faster)
        call(killed, "sk-only-0", "PUT", "/_mock/clock", faster)
        for key in SHARED_KEYS:
            try:
                call(killed, key, "PUT", "/_mock/clock", faster)
            except httpx.TransportError:  # It has been killed already.
                call(servers[1], key, "PUT", "/_mock/clock", faster)
        killed.process.wait(PATIENCE_S)

        received = len(receiver.received)
        while (arrivals := arrivals_by_task(receiver)).keys() != accepted:
            received = len(receiver.wait_for(received + 1))

    lease_has_not_ended_s = killed_s + LEASE_MS / 2000
    for first_s, *others_s in arrivals.values():
        # Only what the killed server was sending is sent again, and only after its lease.
        assert len(others_s) <= 1
        assert all(first_s < lease_has_not_ended_s < each_s for each_s in others_s)
