"""A proxy of the environment gets requests for other hosts, and none for this machine."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from client_reference import ApixoError
from tests.client_reference.cli.loopback import envelope
from tests.client_reference.driver import Driver
from tests.client_reference.listening import listening
from tests.client_reference.scripted import KEY

Received = list[bytes]


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    """Set a proxy for all hosts, and return the requests that it receives."""
    received: Received = []

    def answer(connection: socket.socket) -> None:
        received.append(connection.recv(65536))
        connection.sendall(envelope(200, 1))

    with listening(answer) as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        yield received


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9", "http://localhost:9", "http://LOCALHOST:9",
        "http://127.8.9.1:9", "http://[::1]:9", "http://[::ffff:127.0.0.1]:9",
        "http://mock.localhost:9",
    ],
)  # fmt: skip
def test_proxy_gets_no_request_for_loopback(driver: Driver, proxy: Received, url: str) -> None:
    with (
        closing(driver.over(None, base_url=url, max_retries=0)) as client,
        pytest.raises(ApixoError, match="cannot connect to"),
    ):
        client.balance()

    assert proxy == []


@pytest.mark.parametrize("host", ["service.test", "128.0.0.1", "[2001:db8::1]", "local", "a"])
def test_proxy_gets_requests_for_other_hosts(driver: Driver, proxy: Received, host: str) -> None:
    with closing(driver.over(None, base_url=f"http://{host}", max_retries=0)) as client:
        assert client.balance() == 1

    assert f"Bearer {KEY}".encode() in proxy[0]
