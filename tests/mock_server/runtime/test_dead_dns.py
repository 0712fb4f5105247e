"""A DNS server that does not answer delays neither other keys nor the stop of the server.

The fixture runs this file as a program in a network of its own, with a DNS server on port 53.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.mock_server.runtime.name_server import NameServer
from tests.mock_server.runtime.own_network import (
    begin_network,
    replace_file,
    run_in_own_network,
)
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]
# A lookup of a name takes about five seconds if no DNS server answers.
BEFORE_LOOKUPS_END_S = 4.0
TASK = {"request_type": "callback", "input": {"prompt": "a fox"}}


@pytest.fixture(scope="module")
def measured() -> Mapping[str, float]:
    times: dict[str, float] = json.loads(run_in_own_network(__file__))
    return times


@pytest.mark.parametrize("host", ["localhost", "mock.localhost", "live.test"])
def test_callbacks_of_another_key_do_not_wait_for_dead_names(
    host: str, measured: Mapping[str, float]
) -> None:
    assert measured[host] < BEFORE_LOOKUPS_END_S


def test_a_server_with_pending_lookups_ends_at_once(measured: Mapping[str, float]) -> None:
    assert measured["names pending"] >= 20
    assert measured["stop"] < BEFORE_LOOKUPS_END_S


def _measure() -> dict[str, float]:
    name_server = NameServer({"live.test": "127.0.0.1"}, port=53)
    server = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "--port", "0", "--generation-time", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        times = {}
        with httpx.Client(base_url=url, trust_env=False) as http:
            for number in range(40):
                _submit(http, f"sk-dead-{number % 5}", f"http://dead{number}.test/")
            pending = _until_asked(name_server, 20)
            for host in ["localhost", "mock.localhost", "live.test"]:
                times[host] = _time_of_callback(http, host)
        begun_s = time.monotonic()
        server.send_signal(signal.SIGTERM)
        server.wait(10 * PATIENCE_S)
        return {**times, "names pending": pending, "stop": time.monotonic() - begun_s}
    finally:
        server.kill()
        server.wait()


def _submit(http: httpx.Client, key: str, callback_url: str) -> None:
    http.post(
        "/api/v1/generateTask/gpt-image-1",
        json=TASK | {"callback_url": callback_url},
        headers={"Authorization": f"Bearer {key}"},
    ).raise_for_status()


def _time_of_callback(http: httpx.Client, host: str) -> float:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        begun_s = time.monotonic()
        _submit(http, "sk-other", f"http://{host}:{listener.getsockname()[1]}/")
        connection, _ = listener.accept()
        connection.close()
        return time.monotonic() - begun_s


def _until_asked(name_server: NameServer, names: int) -> int:
    until_s = time.monotonic() + 2
    while (asked := len(set(name_server.asked))) < names and time.monotonic() < until_s:
        time.sleep(0.01)
    return asked


if __name__ == "__main__":
    begin_network()
    replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    sys.stdout.write(json.dumps(_measure()))
