"""TLS through the guard: the certificate must be valid for the name, not for the address."""

import ssl
import subprocess
from pathlib import Path

import pytest

from mock_server.runtime.transport_errors import ExchangeFailed, describe_failure
from tests.mock_server.runtime.networks import client_of, get, loopback_resolver, serving

pytestmark = pytest.mark.anyio


async def test_tls_verifies_the_host_name_and_not_the_address(certificate: Path) -> None:
    client = client_of(loopback_resolver, tls=ssl.create_default_context(cafile=certificate))

    async with serving(certificate) as port:
        assert await get(client, f"https://receiver.test:{port}/") == b"ok"
        with pytest.raises(ExchangeFailed, match="certificate rejected: Hostname mismatch"):
            await get(client, f"https://other.test:{port}/")


async def test_an_untrusted_certificate_is_the_reason_of_the_error(certificate: Path) -> None:
    async with serving(certificate) as port:
        with pytest.raises(ExchangeFailed, match=r"certificate rejected: self.signed"):
            await get(client_of(loopback_resolver), f"https://receiver.test:{port}/")


async def test_tls_to_a_plain_server_is_the_reason_of_the_error() -> None:
    async with serving() as port:
        with pytest.raises(ExchangeFailed, match="TLS failed: wrong version number"):
            await get(client_of(loopback_resolver), f"https://receiver.test:{port}/")


def test_a_tls_error_within_a_response_has_a_short_reason() -> None:
    error = ssl.SSLError(1, "BAD_RECORD_MAC")
    error.reason = "BAD_RECORD_MAC"

    assert describe_failure(error) == "TLS failed: bad record mac"


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
