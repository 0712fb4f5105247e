"""The command starts, says where it listens, and stops when it is told to."""

import json
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from mock_server.domain.setting import declarations
from mock_server.server import ListenError, listen
from mock_server.settings import Settings
from mock_server.settings.server import default_text, switch
from mock_server.version import __version__
from mock_server.wiring import MockServer
from tests.mock_server.cli.commands import run, started
from tests.mock_server.cli.in_process import Run, StartHere
from tests.mock_server.conftest import MakeReceiver

SIGNALS = [signal.SIGTERM, signal.SIGINT]


def callback_task(url: str) -> dict[str, object]:
    return {"request_type": "callback", "callback_url": url, "input": {"prompt": "a fox"}}


def test_the_first_line_says_where_it_listens_and_the_next_names_the_dashboard() -> None:
    with started() as server:
        ready = httpx.get(f"{server.url}/_mock/ready", verify=False, trust_env=False)
        _, rest, _ = server.stop(signal.SIGTERM)

    assert re.fullmatch(
        r"mock-server listening on http://127\.0\.0\.1:[1-9]\d*\n", server.first_line
    )
    assert ready.status_code == 200
    assert rest == f"dashboard: {server.url}/_mock/\n"


def test_the_first_line_names_the_host_that_was_chosen() -> None:
    with started("--host", "localhost") as server:
        assert re.fullmatch(r"mock-server listening on http://localhost:\d+\n", server.first_line)


def test_two_servers_find_a_free_port_each() -> None:
    with started() as first, started() as second:
        assert first.url != second.url


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with started() as server, httpx.Client(verify=False, trust_env=False) as http:
        http.get(f"{server.url}/_mock/ready")  # and keeps the connection open
        status, rest, errors = server.stop(number)

    assert (status, rest) == (0, f"dashboard: {server.url}/_mock/\n")
    assert f"stopping on {number.name}" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_though_a_callback_is_under_way(
    number: signal.Signals, make_receiver: MakeReceiver
) -> None:
    receiver = make_receiver()
    receiver.block()
    with started("--generation-time", "0") as server:
        answer = server.post("/api/v1/generateTask/gpt-image-1", callback_task(receiver.url()))
        task_id = answer["data"]["taskId"]
        receiver.wait_for(1)
        status, _, errors = server.stop(number)

    assert status == 0
    assert f"callback not delivered before shutdown: task {task_id}, attempts: 0" in errors
    assert "Traceback" not in errors
    assert "never retrieved" not in errors


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_cleanly_though_a_request_is_only_half_sent(
    number: signal.Signals,
) -> None:
    head = (
        b"POST /api/v1/generateTask/gpt-image-1 HTTP/1.1\r\nHost: mock\r\n"
        b"Authorization: Bearer sk-key\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    )
    with started() as server, socket.create_connection(server.address) as line:
        line.sendall(head)
        assert line.recv(100).startswith(b"HTTP/1.1 100")  # now the server waits for the body
        status, _, errors = server.stop(number)

    assert status == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_cleanly_though_an_advance_waits_for_a_receiver(
    number: signal.Signals, make_receiver: MakeReceiver
) -> None:
    receiver = make_receiver()
    receiver.block()
    with started("--clock", "manual") as server, ThreadPoolExecutor(1) as waiting:
        server.post("/api/v1/generateTask/gpt-image-1", callback_task(receiver.url()))
        waiting.submit(server.post, "/_mock/clock/advance", {"seconds": 180})
        receiver.wait_for(1)
        status, _, errors = server.stop(number)

    assert status == 0
    assert "callback not delivered before shutdown" in errors
    assert "Traceback" not in errors


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--port", str(port))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1
    assert f"127.0.0.1:{port}" in ended.stderr


def test_an_address_of_another_machine_is_rejected_with_advice() -> None:
    with pytest.raises(ListenError, match=r"203\.0\.113\.1:0: .*another address with --host"):
        listen("203.0.113.1", 0)


def test_a_port_is_free_again_when_its_server_has_ended() -> None:
    with started() as first:
        httpx.get(f"{first.url}/_mock/ready", verify=False, trust_env=False)
        first.stop(signal.SIGTERM)
    with started("--port", first.url.rpartition(":")[2]) as second:
        assert second.url == first.url


def test_help_has_a_line_a_switch_with_its_default(run_here: Run) -> None:
    ended = run_here("--help", COLUMNS="160")

    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    for each in declarations(Settings):
        shown = [line for line in lines if f"  {switch(each)} " in line]
        if each.setting.is_file_only:
            assert not shown
        else:
            [line] = shown
            assert line.endswith(f"{each.setting.help}  [default: {default_text(each)}]")
    assert "--config" in ended.stdout
    assert "schema" in ended.stdout


def test_version_is_one_line(run_here: Run) -> None:
    ended = run_here("--version")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"mock-server {__version__}\n", "")


def test_the_log_is_json_on_request_a_line_an_object() -> None:
    with started("--log-format", "json", "--seed", "7") as server:
        server.get("/_mock/sandbox")
        _, _, errors = server.stop(signal.SIGTERM)

    lines = [json.loads(line) for line in errors.splitlines()]
    assert len(lines) >= 2
    assert all(line.keys() >= {"time", "level", "logger", "message"} for line in lines)
    assert "seed 7; repeat this run with --seed 7" in [line["message"] for line in lines]
    [request] = [line for line in lines if line["logger"] == "mock_server.requests"]
    assert (request["level"], request["method"], request["path"], request["status"]) == (
        "info", "GET", "/_mock/sandbox", 200,
    )  # fmt: skip


def test_log_at_the_level_warning_has_no_line_for_a_start_a_request_and_a_stop() -> None:
    with started("--log-level", "warning") as server:
        server.get("/_mock/sandbox")
        _, _, errors = server.stop(signal.SIGTERM)

    assert errors == ""


def test_the_seed_is_told_and_repeats_the_run(start_here: StartHere) -> None:
    with started("--clock", "manual") as server:
        seed = server.get("/_mock/info")["seed"]
        instants = {server.get("/_mock/clock")["now_ms"] for _ in range(5)}
        _, _, errors = server.stop(signal.SIGTERM)

    assert f"--seed {seed}" in errors
    assert MockServer(start_here("--seed", str(seed)).settings).seed == seed
    assert len(instants) == 1, "a manual clock stands still from the start"


def test_no_secret_reaches_the_log() -> None:
    with started("--api-key", "sk-secret", "--admin-token", "hush-hush") as server:
        server.get("/_mock/sandbox", key="sk-secret")
        _, _, errors = server.stop(signal.SIGTERM)

    assert "GET /_mock/sandbox 200" in errors
    assert "sk-secret" not in errors
    assert "hush-hush" not in errors
