"""The server over TLS: its URLs, its certificate, and clients that do not fit."""

import socket
import ssl
from pathlib import Path

import httpx
import msgspec
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mock_server.domain.errors import InvalidValue
from mock_server.settings import Settings
from mock_server.tls import prepared_tls
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S

QUICK = "a fox [[mock pending=0 processing=0]]"


def test_results_have_https_urls_and_can_be_downloaded(secure_mock: RunningMock) -> None:
    api = secure_mock.api("sk-https-results")

    (url,) = api.result_urls(api.submit(QUICK))

    assert url.startswith(f"https://{secure_mock.host}/results/")
    assert secure_mock.http.get(url).headers["Content-Type"] == "image/png"


def test_public_url_goes_before_the_address_of_the_server(serve: Serve) -> None:
    mock = serve(Settings(tls=True, public_url="https://pictures.example"))
    api = mock.api("sk-public")

    (url,) = api.result_urls(api.submit(QUICK))

    assert url.startswith("https://pictures.example/results/")


def test_journal_as_har_has_https_urls(secure_mock: RunningMock) -> None:
    api = secure_mock.api("sk-https-har")
    api.submit(QUICK)

    archive = api.told("GET", "journal?format=har")

    assert archive["log"]["entries"][0]["request"]["url"].startswith("https://")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "mock.test", "cdn.test"])
def test_made_certificate_is_valid_for(name: str) -> None:
    settings = Settings(tls=True, host="mock.test", public_url="https://cdn.test:8443/x")

    with prepared_tls(settings) as tls:
        assert tls is not None
        assert _shake_hands(tls.context, ssl.create_default_context(cafile=tls.ca_file), name)


def test_made_certificate_is_not_valid_for_another_name() -> None:
    with prepared_tls(Settings(tls=True)) as tls:
        assert tls is not None
        client = ssl.create_default_context(cafile=tls.ca_file)
        with pytest.raises(ssl.SSLCertVerificationError):
            _shake_hands(tls.context, client, "other.test")


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    """Do a handshake in memory; raise the error of the client."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(to_client, to_server, server_hostname=name)
    answers = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (asks, answers):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return asks.version() is not None


def test_ca_file_is_private_and_gone_at_the_end() -> None:
    with prepared_tls(Settings(tls=True)) as tls:
        assert tls is not None
        assert tls.ca_file is not None
        assert tls.ca_file.parent.stat().st_mode & 0o077 == 0
        assert [each.name for each in tls.ca_file.parent.iterdir()] == ["ca.pem"]
        assert b"PRIVATE KEY" not in tls.ca_file.read_bytes()

    assert not tls.ca_file.parent.exists()


def test_server_does_not_offer_an_authority_of_another_start() -> None:
    with prepared_tls(Settings(tls=True)) as first, prepared_tls(Settings(tls=True)) as second:
        assert first is not None
        assert second is not None
        client = ssl.create_default_context(cafile=first.ca_file)
        with pytest.raises(ssl.SSLCertVerificationError):
            _shake_hands(second.context, client, "localhost")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_without_tls_is_answered_with_what_to_do(
    secure_mock: RunningMock, method: str
) -> None:
    response = httpx.request(
        method, f"http://{secure_mock.host}/api/v1/generateTask/gpt-image-1", trust_env=False
    )

    assert response.status_code == 400
    assert response.json() == {
        "code": 400,
        "message": "this port uses TLS: use https:// instead of http://",
        "data": None,
    }


@pytest.mark.parametrize("said", [b"", b"\x00\x01", b"SSH-2.0-OpenSSH\r\n", b"GET / HTTP/1.1\r\n"])
def test_client_without_tls_does_not_disturb_others(secure_mock: RunningMock, said: bytes) -> None:
    name, _, port = secure_mock.host.partition(":")
    with socket.create_connection((name, int(port)), PATIENCE_S) as line:
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass

    assert secure_mock.http.get("/_mock/ready").status_code == 200


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a certificate, its key, and files that are neither."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    for name in ("server", "other"):
        made = authority.issue_cert("localhost", "127.0.0.1")
        made.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        for at, pem in enumerate(made.cert_chain_pems):
            pem.write_to_path(str(folder / f"{name}.crt"), append=at > 0)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    (folder / "text").write_text("no certificate", "utf-8")
    (folder / "torn").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n", "utf-8")
    key = load_pem_private_key((folder / "server.key").read_bytes(), password=None)
    locked = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    (folder / "locked.key").write_bytes(locked)
    return folder


def test_given_certificate_is_served(files: Path) -> None:
    settings = Settings(tls_cert=str(files / "server.crt"), tls_key=str(files / "server.key"))

    with prepared_tls(settings) as tls:
        assert tls is not None
        client = ssl.create_default_context(cafile=files / "ca.pem")
        assert _shake_hands(tls.context, client, "localhost")
        assert settings.base_url == "https://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"tls_cert": "server.crt"}, "--tls-cert: needs --tls-key as well"),
        ({"tls_key": "server.key"}, "--tls-key: needs --tls-cert as well"),
        (
            {"tls_cert": "absent", "tls_key": "server.key"},
            "--tls-cert: {}/absent: No such file or directory",
        ),
        (
            {"tls_cert": "server.crt", "tls_key": "absent"},
            "--tls-key: {}/absent: No such file or directory",
        ),
        ({"tls_cert": "text", "tls_key": "server.key"}, "--tls-cert: {}/text: is not a PEM file"),
        (
            {"tls_cert": "torn", "tls_key": "server.key"},
            "--tls-cert: {}/torn: contains no valid certificate in PEM format",
        ),
        (
            {"tls_cert": "server.crt", "tls_key": "server.crt"},
            "--tls-key: {}/server.crt: contains no valid private key in PEM format",
        ),
        (
            {"tls_cert": "server.crt", "tls_key": "other.key"},
            "--tls-key: {0}/other.key: is not the key of the certificate {0}/server.crt",
        ),
        (
            {"tls_cert": "server.crt", "tls_key": "locked.key"},
            "--tls-key: {}/locked.key: is encrypted; give a key without a password",
        ),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_invalid_file_is_named_with_its_problem(
    files: Path, given: dict[str, str], problem: str
) -> None:
    settings = msgspec.structs.replace(
        Settings(), **{name: str(files / file) for name, file in given.items()}
    )

    with pytest.raises(InvalidValue) as caught, prepared_tls(settings):
        pytest.fail("the settings were accepted")

    assert str(caught.value) == problem.format(files)


def test_given_certificate_beside_a_made_one_is_rejected() -> None:
    settings = Settings(tls=True, tls_cert="a.crt")

    with pytest.raises(InvalidValue, match="--tls-cert: cannot be combined with --tls"):
        prepared_tls(settings).__enter__()


def test_name_that_no_certificate_can_have_is_rejected() -> None:
    with (
        pytest.raises(InvalidValue, match="--host: no certificate can be made for 'a_b'"),
        prepared_tls(Settings(tls=True, host="a_b")),
    ):
        pytest.fail("the settings were accepted")


def test_server_in_the_test_process_ignores_tls() -> None:
    import mock_server  # noqa: PLC0415  # Its running() is not that of the tests.

    with mock_server.running(Settings(tls=True, tls_cert="absent")) as server:
        assert server.base_url.startswith("http://")
        assert httpx.get(f"{server.base_url}/_mock/ready", trust_env=False).status_code == 200
