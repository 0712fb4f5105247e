"""TLS through the guard: the certificate must be valid for the name, not for the address."""

import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from mock_server.runtime.egress import Egress
from mock_server.runtime.guarded_transport import GuardedTransport
from mock_server.runtime.resolver import Resolver
from mock_server.runtime.transport_errors import translate_errors
from tests.mock_server.runtime.networks import loopback_resolver, serving

pytestmark = pytest.mark.anyio


async def test_tls_verifies_the_host_name_and_not_the_address(certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=certificate)

    async with (
        serving(certificate) as port,
        GuardedTransport(Egress.LOOPBACK, loopback_resolver, ssl_context=trusted) as transport,
    ):
        right = await transport.handle_async_request(request(f"https://receiver.test:{port}/"))
        assert await right.aread() == b"ok"
        with pytest.raises(httpx.ConnectError, match="certificate rejected: Hostname mismatch"):
            await transport.handle_async_request(request(f"https://other.test:{port}/"))


async def test_an_untrusted_certificate_is_the_reason_of_the_error(certificate: Path) -> None:
    async with serving(certificate) as port, transport_to(loopback_resolver) as transport:
        with pytest.raises(httpx.ConnectError, match=r"certificate rejected: self.signed"):
            await transport.handle_async_request(request(f"https://receiver.test:{port}/"))


async def test_tls_to_a_plain_server_is_the_reason_of_the_error() -> None:
    async with serving() as port, transport_to(loopback_resolver) as transport:
        with pytest.raises(httpx.ConnectError, match="TLS failed: wrong version number"):
            await transport.handle_async_request(request(f"https://receiver.test:{port}/"))


def test_a_tls_error_within_a_response_is_a_network_error() -> None:
    with pytest.raises(httpx.NetworkError, match="TLS failed: bad record mac"), translate_errors():
        raise ssl_error("BAD_RECORD_MAC")


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file with a key and a self-signed certificate for receiver.test."""
    path = tmp_path_factory.mktemp("tls") / "receiver.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    name = "-subj /CN=receiver.test -addext subjectAltName=DNS:receiver.test"
    files = ["-keyout", f"{path}.key", "-out", f"{path}.crt"]
    try:
        subprocess.run([*command.split(), *name.split(), *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    path.write_text(Path(f"{path}.key").read_text() + Path(f"{path}.crt").read_text())
    return path


def transport_to(resolve: Resolver) -> GuardedTransport:
    return GuardedTransport(Egress.LOOPBACK, resolve)


def request(url: str) -> httpx.Request:
    return httpx.Request("GET", url)
