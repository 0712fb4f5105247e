"""What a report shows as curl sends what the case has sent, when it is pasted into a shell."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from contract_tests.contract.provider import GENERATE, STATUS
from contract_tests.server.events import Request, build_request
from contract_tests.server.reports.shown_events import curl_of

HOSTILE = 'it\'s $HOME `id` "quoted" \\ %41 \N{GRINNING FACE}\n@file !! '


class Heard(HTTPServer):
    """Keeps the one request that it is sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    server: Heard

    def do_GET(self) -> None:
        self._hear()

    def do_POST(self) -> None:
        self._hear()

    def do_DELETE(self) -> None:
        self._hear()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as in the base
        """Say nothing."""

    def _hear(self) -> None:
        heard = self.server
        heard.method, heard.path = self.command, self.path
        heard.headers = {name.lower(): value for name, value in self.headers.items()}
        heard.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.end_headers()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs the command curl")
@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(build_request("GET", STATUS, query={"taskId": HOSTILE}), id="query"),
        pytest.param(build_request("POST", GENERATE, body={"prompt": HOSTILE}), id="json"),
        pytest.param(build_request("POST", GENERATE, body={"prompt": "x" * 10_000}), id="long"),
        pytest.param(build_request("POST", GENERATE, content=b"@/etc/hostname"), id="no file"),
        pytest.param(build_request("POST", GENERATE, content=b"\n{}\r\n"), id="line ends"),
        pytest.param(build_request("GET", STATUS, key="none"), id="no key"),
        pytest.param(build_request("GET", STATUS, key="own as bEARER"), id="scheme"),
        pytest.param(
            build_request("GET", STATUS, headers={"Authorization": ""}, key="none"),
            id="empty header",
        ),
        pytest.param(build_request("DELETE", "/_mock/sandbox"), id="delete"),
    ],
)
def test_a_pasted_curl_sends_the_same(request_: Request) -> None:
    with heard_by(request_) as heard:
        sent = {name.lower(): value for name, value in request_.headers}
        name, _, scheme = request_.key.partition(" as ")
        if name != "none":
            sent["authorization"] = f"{scheme or 'Bearer'} sk-from-the-environment"

        assert heard.method == request_.method
        assert heard.path.partition("?")[0] == request_.path
        assert heard.body == request_.body
        for header in ("authorization", "content-type"):
            assert heard.headers.get(header) == sent.get(header)


def test_a_query_is_written_as_a_client_writes_it() -> None:
    curl = curl_of(build_request("GET", STATUS, query={"taskId": "a b&c=d"}), "http://127.0.0.1:1")

    assert f"'http://127.0.0.1:1{STATUS}?taskId=a+b%26c%3Dd'" in curl


@contextmanager
def heard_by(request: Request) -> Iterator[Heard]:
    with Heard(("127.0.0.1", 0), Handler) as heard:
        thread = Thread(target=heard.handle_request)
        thread.start()
        command = curl_of(request, f"http://127.0.0.1:{heard.server_port}")
        subprocess.run(
            ["sh", "-c", f"{command} --noproxy '*' --max-time 20"],
            env={"PATH": "/usr/bin:/bin", "APIXO_API_KEY": "sk-from-the-environment"},
            capture_output=True,
            check=True,
        )
        thread.join()
        yield heard
