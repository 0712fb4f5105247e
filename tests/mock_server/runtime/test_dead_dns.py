"""A DNS server that does not answer delays neither other keys nor the stop of the server.

The fixture runs this file as a program in a network of its own, with a DNS server on port 53.
Lookups of dead names take minutes there, so whatever waits for them takes longer than tests wait.
"""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import httpx
import pytest

from tests.mock_server.runtime.name_server import NameServer
from tests.mock_server.runtime.own_network import (
    begin_network,
    replace_file,
    run_in_own_network,
)
from tests.patience import PATIENCE_S

# This server waits for a DNS server for minutes, not for five seconds.
PATIENT_SERVER = f"""
from mock_server.__main__ import main
from mock_server.runtime import dns_resolver, host_lookup
dns_resolver._TRIES = 1000
host_lookup._TIMEOUT_S = {10 * PATIENCE_S}
main()
"""
HOSTS = ["localhost", "mock.localhost", "live.test"]
TASK = {"request_type": "callback", "input": {"prompt": "a fox"}}


@pytest.fixture(scope="module")
def ended() -> Sequence[str]:
    """Return what has ended although 20 lookups had not."""
    return run_in_own_network(__file__).splitlines()


@pytest.mark.parametrize("host", HOSTS)
def test_callbacks_of_another_key_do_not_wait_for_dead_names(
    host: str, ended: Sequence[str]
) -> None:
    assert f"callback to {host}" in ended


def test_a_server_with_pending_lookups_ends_at_once(ended: Sequence[str]) -> None:
    assert "server" in ended


def _run() -> None:
    name_server = NameServer({"live.test": "127.0.0.1"}, port=53)
    server = subprocess.Popen(
        [sys.executable, "-c", PATIENT_SERVER, "--port", "0", "--generation-time", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_S) as http:
            for number in range(40):
                _submit(http, f"sk-dead-{number % 5}", f"http://dead{number}.test/")
            _wait_for_lookups(name_server, 20)
            for host in HOSTS:
                with suppress(TimeoutError):
                    _receive_callback(http, host)
                    sys.stdout.write(f"callback to {host}\n")
        server.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(PATIENCE_S)
            sys.stdout.write("server\n")
    finally:
        server.kill()
        server.wait()


def _submit(http: httpx.Client, key: str, callback_url: str) -> None:
    http.post(
        "/api/v1/generateTask/gpt-image-1",
        json=TASK | {"callback_url": callback_url},
        headers={"Authorization": f"Bearer {key}"},
    ).raise_for_status()


def _receive_callback(http: httpx.Client, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        _submit(http, "sk-other", f"http://{host}:{listener.getsockname()[1]}/")
        connection, _ = listener.accept()
        connection.close()


def _wait_for_lookups(name_server: NameServer, names: int) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while len(set(name_server.asked)) < names:
        assert time.monotonic() < give_up_s
        time.sleep(0.01)


if __name__ == "__main__":
    begin_network()
    replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    _run()
