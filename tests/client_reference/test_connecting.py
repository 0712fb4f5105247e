"""A connection that cannot be opened: what the error says, and how long the client tries."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from client_reference import Client, TlsError, TransportError
from client_reference.http_errors import error_for
from tests.client_reference.cli.loopback import envelope, nobody
from tests.client_reference.driver import Driver
from tests.client_reference.listening import listening
from tests.client_reference.scripted import (
    KEY,
    Service,
    VirtualTime,
    accepts,
    breaks,
    says,
    succeeds,
    told,
)

BALANCE = envelope(200, 74.87)


@contextmanager
def serving_tls(ca: trustme.CA, *names: str) -> Iterator[int]:
    """Answer requests for the balance over TLS; yield the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*names).configure_cert(context)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(BALANCE)

    with listening(answer) as port:
        yield port


@contextmanager
def sending(answer: bytes) -> Iterator[int]:
    """Send this to each connection once the client has sent something; yield the port."""

    def send(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with listening(send) as port:
        yield port


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return str(file)


def test_refused_connection_names_the_address_and_the_reason(driver: Driver) -> None:
    url = nobody()

    with pytest.raises(TransportError) as caught:
        driver.over(None, base_url=url, max_retries=0).balance()

    assert str(caught.value) == f"cannot connect to {url}: Connection refused"
    assert not caught.value.was_sent


@pytest.mark.parametrize("call", ["submit", "status", "balance", "wait"])
def test_absent_service_is_reported_within_twelve_seconds(
    driver: Driver, time: VirtualTime, call: str
) -> None:
    argument = [] if call == "balance" else ["task_1"]
    refused = breaks(httpx.ConnectError)
    service = Service(submit=[refused], status=[refused], balance=[refused])

    with pytest.raises(TransportError, match=r"cannot connect to http://service\.test"):
        getattr(driver.client(service, time), call)(*argument)

    assert len(service.requests) == 5
    assert 7 <= sum(time.pauses) <= 12


def test_task_in_progress_is_waited_for_while_the_service_restarts(
    driver: Driver, time: VirtualTime
) -> None:
    refused = breaks(httpx.ConnectError)
    service = Service(submit=[accepts()], status=[told("processing"), *[refused] * 4, succeeds()])

    driver.client(service, time).generate("a fox")

    assert sum(time.pauses[2:6]) >= 15


def test_retried_error_knows_the_attempt_that_follows(driver: Driver, time: VirtualTime) -> None:
    service = Service(balance=[breaks(httpx.ConnectError), says(200, 1)])
    seen: list[object] = []

    import stamina.instrumentation as hooks  # noqa: PLC0415  # Only this test uses it.

    hooks.set_on_retry_hooks([lambda details: seen.append(details.caused_by)])
    try:
        driver.client(service, time).balance()
    finally:
        hooks.set_on_retry_hooks(None)

    (error,) = seen
    assert isinstance(error, TransportError)
    assert error.next_attempt is not None
    assert (error.next_attempt.number, error.next_attempt.of) == (2, 5)
    assert [error.next_attempt.pause_s] == time.pauses


def test_final_error_has_no_next_attempt(driver: Driver, time: VirtualTime) -> None:
    with pytest.raises(TransportError) as caught:
        driver.client(Service(balance=[breaks(httpx.ConnectError)]), time).balance()

    assert caught.value.next_attempt is None


def test_https_to_a_port_without_tls_is_not_retried(driver: Driver, time: VirtualTime) -> None:
    with sending(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port, pytest.raises(TlsError) as caught:
        driver.over(None, time, base_url=f"https://127.0.0.1:{port}").submit("a fox")

    assert str(caught.value).startswith(
        f"cannot connect to https://127.0.0.1:{port}: the server does not use TLS ("
    )
    assert "use http://" in str(caught.value)
    assert not caught.value.was_sent
    assert time.pauses == []


def test_untrusted_certificate_is_not_retried(
    driver: Driver, time: VirtualTime, ca: trustme.CA
) -> None:
    with serving_tls(ca, "127.0.0.1") as port, pytest.raises(TlsError) as caught:
        driver.over(None, time, base_url=f"https://127.0.0.1:{port}").balance()

    assert "the certificate is not trusted (" in str(caught.value)
    assert "set SSL_CERT_FILE" in str(caught.value)
    assert time.pauses == []


def test_trusted_certificate_of_another_host_is_not_retried(
    driver: Driver,
    time: VirtualTime,
    ca: trustme.CA,
    ca_file: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)

    with serving_tls(ca, "service.test") as port, pytest.raises(TlsError) as caught:
        driver.over(None, time, base_url=f"https://127.0.0.1:{port}").balance()

    assert "the certificate is for another host (" in str(caught.value)
    assert time.pauses == []


def test_certificate_of_an_authority_in_ssl_cert_file_is_trusted(
    driver: Driver, ca: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)

    with serving_tls(ca, "127.0.0.1") as port:
        balance = driver.over(None, base_url=f"https://127.0.0.1:{port}").balance()

    assert float(balance) == 74.87


def test_connection_lost_in_the_handshake_is_retried(driver: Driver, time: VirtualTime) -> None:
    with sending(b"") as port, pytest.raises(TransportError) as caught:
        driver.over(None, time, base_url=f"https://127.0.0.1:{port}").balance()

    assert not isinstance(caught.value, TlsError)
    assert len(time.pauses) == 4


def test_key_is_redacted_from_every_connection_error() -> None:
    with Client(KEY) as client:
        redact = client._connection.api_key.redact
    for error in (httpx.ConnectError(KEY), httpx.ConnectTimeout(KEY)):
        assert KEY not in str(error_for(error, f"http://{KEY}.test", redact))
