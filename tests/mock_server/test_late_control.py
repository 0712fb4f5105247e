"""The control plane is imported after the start, with the same responses."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable

import httpx
import pytest

from mock_server import late_control
from mock_server.control_wiring import ControlPlane
from mock_server.settings import Settings
from mock_server.wiring import MockServer

HEAVY = {
    "anyio", "contract_tests", "httpx", "jinja2", "mimetypes", "mock_server.control.settings_types",
    "mock_server.control_wiring", "mock_server.domain.rule_grammar", "PIL", "prometheus_client",
    "regex", "starlette.applications", "starlette.requests",
}  # fmt: skip

# A server in a process of its own, whose first clients send the request of each line of the input.
# They are threads, because the server needs the main thread. It never loads the control plane by
# itself, so that the list of modules does not depend on how long this takes.
PROGRAM = """
import json, os, signal, socket, sys, threading
from mock_server import command, late_control
late_control.LateControl.load_soon = lambda self: None
requests = [each.encode() for each in json.load(sys.stdin)]
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
def ask(request):
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request)
                return connection.recv(12).decode()
        except ConnectionRefusedError:
            continue
def ask_all():
    answers = [ask(request) for request in requests]
    print(json.dumps([answers, list(sys.modules)]), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=ask_all).start()
command.run(["--port", str(port), "--log-level", "warning"])
"""
KEY = "Host: mock\r\nAuthorization: Bearer my-key\r\n"
SUBMIT = '{"request_type": "async", "input": {"prompt": "a red fox", "mode": "text-to-image"}}'
FIRST_REQUESTS = {
    f"GET /api/v1/statusTask/gpt-image-1?taskId=unknown HTTP/1.1\r\n{KEY}\r\n": 404,
    f"POST /api/v1/generateTask/gpt-image-1 HTTP/1.1\r\n{KEY}"
    f"Content-Type: application/json\r\nContent-Length: {len(SUBMIT)}\r\n\r\n{SUBMIT}": 200,
    f"GET /api/v1/apikeys/current-balance HTTP/1.1\r\n{KEY}\r\n": 200,
    "GET /_mock/health HTTP/1.1\r\nHost: mock\r\n\r\n": 200,
    "GET /_mock/ready HTTP/1.1\r\nHost: mock\r\n\r\n": 200,
}


def test_first_answers_wait_for_no_import_of_the_control_plane() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(list(FIRST_REQUESTS)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    answers, modules = json.loads(done.stdout.splitlines()[-1])
    assert answers == [f"HTTP/1.1 {status}" for status in FIRST_REQUESTS.values()]
    assert HEAVY & set(modules) == set()


def in_a_loop(
    app: MockServer, use: Callable[[httpx.AsyncClient], Awaitable[None]], *, is_ready: bool = True
) -> None:
    """Use the application as a client would while it runs, or while it starts."""

    async def run() -> None:
        if is_ready:
            app.lifecycle.not_ready = None
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            await use(http)

    asyncio.run(run())


@pytest.mark.parametrize("is_ready", [True, False], ids=["ready", "starting"])
@pytest.mark.parametrize("path", ["/_mock/health", "/_mock/ready", "/_mock/health?verbose=1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_probe_has_the_same_answer_before_and_after_the_control_plane_is_loaded(
    method: str, path: str, *, is_ready: bool
) -> None:
    app = MockServer(Settings())

    async def compare(http: httpx.AsyncClient) -> None:
        before = await http.request(method, path)
        app.control.plane()
        after = await http.request(method, path)

        assert (before.status_code, before.content) == (after.status_code, after.content)
        before.headers["date"] = after.headers["date"]
        assert before.headers.raw == after.headers.raw

    in_a_loop(app, compare, is_ready=is_ready)


def test_each_probe_before_the_control_plane_is_loaded_has_one_date() -> None:
    app = MockServer(Settings())

    async def probe(http: httpx.AsyncClient) -> None:
        for _ in range(3):
            answer = await http.get("/_mock/health")
            assert len(answer.headers.get_list("date")) == 1

    in_a_loop(app, probe)


def test_a_started_server_loads_the_control_plane_without_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(late_control, "_DELAY_S", 0)
    made: list[ControlPlane] = []
    app = MockServer(Settings())

    def make() -> ControlPlane:
        made.append(app.control.plane())
        return made[-1]

    async def start() -> None:
        control = late_control.LateControl(make, lambda: None)
        control.load_soon()
        assert made == []
        assert control.loading is not None
        await control.loading
        assert made == [control.plane()]

    asyncio.run(start())


def test_event_stream_is_rejected_if_the_control_plane_is_loaded_while_the_server_stops() -> None:
    app = MockServer(Settings())
    app.begin_stopping()

    async def follow(http: httpx.AsyncClient) -> None:
        # HEAD, because a stream that is not rejected never ends.
        answer = await http.head("/_mock/events", headers={"Authorization": "Bearer my-key"})
        assert answer.status_code == 503

    in_a_loop(app, follow, is_ready=False)
