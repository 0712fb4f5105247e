"""A server that is not this API is reported once, before any case runs."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from contract_tests.contract.certificates import trusted_certificates
from tests.contract_tests.commands import contract_tests
from tests.mock_server.cli.commands import started

KEY = "sk-secret-of-the-user"


@contextmanager
def server(status: int, media_type: str, body: str) -> Iterator[tuple[str, list[str]]]:
    """Serve the same answer to every request; yield the address and the paths of the requests."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            content = body.replace("KEY", self.headers["Authorization"]).encode()
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_DELETE = do_PUT = do_GET  # noqa: N815  # the names of the base class

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = Thread(target=served.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_port}", paths
        finally:
            served.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        (404, "text/html", "<!DOCTYPE html><title>Error response</title>"),
        (200, "text/html", "<html>Welcome</html>"),
        (200, "application/json", '["another", "API"]'),
        (200, "application/json", '{"detail": "another API"}'),
        (200, "application/json", "[" * 100_000),
        (502, "text/html", ""),
    ],
    ids=["file server", "HTML page", "JSON list", "JSON object", "endless JSON", "empty"],
)
def test_another_server_is_one_error_before_any_case(
    status: int, media_type: str, body: str, tmp_path: Path
) -> None:
    with server(status, media_type, body) as (url, paths):
        ended = contract_tests("run", "--base-url", url, "--report", tmp_path / "report")

    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith(f"Error: {url} does not answer like the APIXO API.")
    assert f"HTTP {status}, {media_type}" in ended.stderr
    assert "Check --base-url" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert len(paths) == 2
    assert not any((tmp_path / "report").iterdir())


def test_error_shows_no_key_that_the_server_echoes() -> None:
    with server(200, "text/plain", "you sent KEY") as (url, _):
        ended = contract_tests("run", "--base-url", url, "--api-key", KEY)

    assert "you sent Bearer [key]" in ended.stderr
    assert KEY not in ended.stderr


def test_live_service_that_is_not_the_api_is_rejected_before_any_case() -> None:
    with server(200, "text/html", "<html>Welcome</html>") as (url, paths):
        words = ("run", "--base-url", url, "--live", "--budget", "1")
        ended = contract_tests(*words, env={"APIXO_API_KEY": KEY})

    assert ended.returncode == 3
    assert "does not answer like the APIXO API" in ended.stderr
    assert {path.partition("?")[0] for path in paths} == {
        "/api/v1/apikeys/current-balance",
        "/api/v1/statusTask/gpt-image-1",
    }


def test_envelope_is_enough_for_a_run() -> None:
    body = json.dumps({"code": 401, "message": "Unauthorized", "data": None})
    with server(401, "application/json", body) as (url, _):
        ended = contract_tests("run", "--base-url", url, "--select", "S-AUTH-001")

    assert "does not answer like" not in ended.stderr
    assert ended.stdout.startswith(f"checking {url}: 1 case")


def test_https_on_a_port_without_tls_suggests_http() -> None:
    def answer_without_tls() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=answer_without_tls)
        thread.start()
        https = f"https://127.0.0.1:{listener.getsockname()[1]}"
        ended = contract_tests("run", "--base-url", https)
        thread.join()

    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == (f"Error: {https} does not use TLS. Use http://, or check --base-url\n")


@pytest.fixture(scope="module")
def tls_mock() -> Iterator[tuple[str, str]]:
    """Yield the address of a mock with TLS and the file of its CA."""
    with started("--tls") as mock:
        assert mock.process.stdout is not None
        mock.process.stdout.readline()  # the address of the dashboard
        yield mock.url, mock.process.stdout.readline().rpartition(" ")[2].rstrip("\n")


def test_unknown_ca_is_reported_with_the_variable_that_names_it(tls_mock: tuple[str, str]) -> None:
    ended = contract_tests("run", "--base-url", tls_mock[0])

    assert (ended.returncode, ended.stdout) == (3, "")
    assert "certificate that is not valid" in ended.stderr
    assert "Set SSL_CERT_FILE to the certificate file of its authority" in ended.stderr


@pytest.fixture
def new_certificates() -> Iterator[None]:
    """Let a command in this process read the certificates again."""
    trusted_certificates.cache_clear()
    yield
    trusted_certificates.cache_clear()


@pytest.mark.usefixtures("new_certificates")
def test_local_server_with_tls_is_checked_with_its_ca(tls_mock: tuple[str, str]) -> None:
    url, ca_file = tls_mock
    words = ("run", "--base-url", url, "--select", "S-ENV-001")
    ended = contract_tests(*words, env={"SSL_CERT_FILE": ca_file})

    assert ended.returncode == 0, ended.stderr
    assert "1 PASS" in ended.stdout


@pytest.mark.usefixtures("new_certificates")
@pytest.mark.parametrize(
    ("file", "problem"),
    [("/nowhere/ca.pem", "No such file or directory"), (__file__, "has no certificate")],
    ids=["missing", "another format"],
)
def test_ca_file_that_cannot_be_used_is_invalid_usage(file: str, problem: str) -> None:
    words = ("run", "--base-url", "https://127.0.0.1:1")
    ended = contract_tests(*words, env={"SSL_CERT_FILE": file})

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"Error: SSL_CERT_FILE: {file}: {problem}")
