"""The fixtures of the plugin, as a suite outside this project uses them."""

import socket
import struct
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import enumerate as running_threads

import httpx
import pytest

import mock_server
from mock_server.testing.control import ControlError, WaitTimeout
from mock_server.testing.receiver import CallbackReceiver
from mock_server.testing.sandbox import ApixoMock
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S

pytest_plugins = ["pytester"]

FAILING = """
import json, os, urllib.request
def test_it(apixo_mock):
    apixo_mock.next(refuse={"status": 503})
    request = urllib.request.Request(
        os.environ["APIXO_BASE_URL"] + "/api/v1/apikeys/current-balance",
        headers={"Authorization": "Bearer " + os.environ["APIXO_API_KEY"]},
    )
    try:
        urllib.request.urlopen(request)
    except OSError:
        pass
    assert False
"""
TWO_RUNS = """
import json, os, urllib.request
def test_it(apixo_mock):
    request = urllib.request.Request(
        os.environ["APIXO_BASE_URL"] + "/api/v1/generateTask/gpt-image-1",
        json.dumps({"input": {"prompt": "x"}}).encode(),
        {"Authorization": "Bearer " + os.environ["APIXO_API_KEY"],
         "Content-Type": "application/json"},
    )
    print("task", json.load(urllib.request.urlopen(request))["data"]["taskId"])
"""
BROKEN_SET_UP = """
import pytest
@pytest.fixture
def client(apixo_mock):
    raise RuntimeError("no client")
def test_it(client): pass
"""
MUTE_MOCK = """
def test_it(apixo_mock):
    apixo_mock._control.close()
    assert not "the failure itself"
def test_the_next(): pass
"""
MARKED = """
import os, pytest
pytestmark = pytest.mark.apixo_mock(profile="free-plan", rate_limit=7)
@pytest.mark.apixo_mock(rate_limit=8)
def test_closest_first(apixo_mock):
    settings = apixo_mock.configure()
    assert (settings["profile"], settings["rate_limit"]) == ("free-plan", 8)
def test_not_named():
    assert os.environ["APIXO_API_KEY"].startswith("apixo-test-")
@pytest.mark.apixo_mock("hostile")
def test_without_a_name(apixo_mock): pass
"""


def run_suite(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    """Run a suite in this process with this plugin only.

    test_page.py runs one in a process of its own, with all installed plugins.
    """
    pytester.makepyfile(test_it=text)
    plugins = ["--disable-plugin-autoload", "-p", "mock_server.pytest_plugin"]
    return pytester.runpytest_inprocess(*plugins, "-p", "no:cacheprovider", *arguments)


def test_the_report_of_a_failing_test_shows_the_timeline_without_the_key(
    pytester: pytest.Pytester,
) -> None:
    ended = run_suite(pytester, FAILING)

    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["*APIXO mock*", "*503*/current-balance*next-1: refuse 503*"])
    assert "apixo-test-" not in ended.stdout.str()


def task_ids_of_two_runs(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    return [
        line
        for _ in range(2)
        for line in run_suite(pytester, TWO_RUNS, "-s", *arguments).outlines
        if line.startswith(("task", ".task", "test_it.py task"))
    ]


def test_each_run_of_a_test_has_the_same_task_ids(pytester: pytest.Pytester) -> None:
    first, second = task_ids_of_two_runs(pytester)

    assert first == second


def test_two_runs_on_a_shared_server_have_different_task_ids(
    pytester: pytest.Pytester, mock: RunningMock
) -> None:
    first, second = task_ids_of_two_runs(pytester, "--apixo-mock-url", f"http://{mock.host}")

    assert first != second


def test_the_marker_is_registered_and_its_settings_are_validated(pytester: pytest.Pytester) -> None:
    ended = run_suite(
        pytester,
        "import pytest\n@pytest.mark.apixo_mock(profil='calm')\ndef test_it(apixo_mock): pass\n",
        "--strict-markers",
    )

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(['*profil: is unknown; did you mean "profile"?*'])


def test_markers_are_merged_apply_without_the_fixture_and_reject_positional_arguments(
    pytester: pytest.Pytester,
) -> None:
    ended = run_suite(pytester, MARKED)

    ended.assert_outcomes(passed=2, errors=1)
    ended.stdout.fnmatch_lines(["*must have keyword arguments only *; use profile='hostile'"])


def test_the_report_of_a_failed_setup_shows_the_timeline(pytester: pytest.Pytester) -> None:
    ended = run_suite(pytester, BROKEN_SET_UP)

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*APIXO mock*", "the mock received no requests"])


def test_an_unreachable_mock_does_not_end_the_run(pytester: pytest.Pytester) -> None:
    ended = run_suite(pytester, MUTE_MOCK)

    ended.assert_outcomes(passed=1, failed=1, errors=1)
    ended.stdout.fnmatch_lines(["*the failure itself*", "the timeline is not available*"])


def test_a_mock_url_without_a_mock_fails_with_one_line(pytester: pytest.Pytester) -> None:
    ended = run_suite(pytester, FAILING, "--apixo-mock-url", "http://127.0.0.1:1/")

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["--apixo-mock-url: no mock server answers at http://127.0.0.1:1:*"])


def test_a_suite_without_the_fixtures_imports_only_the_plugin(tmp_path: Path) -> None:
    told = (
        "import sys; before = set(sys.modules); import mock_server.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", f"import pytest; {told}"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip

    assert ended.stdout.split() == ["mock_server", "mock_server.pytest_plugin"]


def test_sandboxes_of_two_tests_are_separate(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url, name="one") as one, ApixoMock.begun(mock.url, name="two") as two:
        mock.api(one.api_key).submit()

        assert (len(one.tasks), len(two.tasks)) == (1, 0)
        assert Counter([one.journal.count(), two.journal.count()]) == {1: 1, 0: 1}


def test_sandboxes_without_a_seed_share_no_task_ids(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as one, ApixoMock.begun(mock.url) as two:
        assert mock.api(one.api_key).submit() != mock.api(two.api_key).submit()


def test_a_sandbox_is_deleted_after_its_test(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        api = mock.api(sandbox.api_key)
        api.submit()

    assert api.told("GET", "tasks") == {"tasks": []}


def test_a_sandbox_is_deleted_when_its_block_raises(mock: RunningMock) -> None:
    with suppress(ZeroDivisionError), ApixoMock.begun(mock.url) as sandbox:
        mock.api(sandbox.api_key).submit()
        _ = 1 / 0

    assert mock.api(sandbox.api_key).told("GET", "tasks") == {"tasks": []}


def test_advancing_by_less_than_a_millisecond_moves_nothing(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        began_ms = sandbox.now_ms

        assert sandbox.advance(0) == sandbox.advance(0.0001) == []
        assert sandbox.now_ms == began_ms


def test_tasks_and_journal_return_all_tasks_and_entries(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        api = mock.api(sandbox.api_key)
        for _ in range(101):
            api.submit()
        for _ in range(900):
            api.balance()

        assert len(sandbox.tasks) == 101
        assert len(list(sandbox.journal)) == len(sandbox.journal) == 1001


def test_the_timeline_has_the_transitions_and_not_the_key(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        task_id = mock.api(sandbox.api_key).submit(prompt=f"{'x' * 30}{sandbox.api_key}\x1b[31m")
        sandbox.advance("2m")
        timeline = sandbox.format_timeline()

    assert f"---  {task_id} is processing" in timeline
    assert f"---  {task_id} is success" in timeline
    assert sandbox.api_key[:12] not in timeline
    assert "\x1b" not in timeline


def test_wait_for_returns_when_reached_and_raises_with_the_last_state_otherwise(
    mock: RunningMock,
) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        task_id = mock.api(sandbox.api_key).submit()

        assert len(sandbox.wait_for("submit")) == 1
        assert sandbox.wait_for(task=task_id, state="pending")["state"] == "pending"
        with pytest.raises(WaitTimeout, match=r'"success".*; seen: .*pending'):
            sandbox.wait_for(task=task_id, state="success", timeout=0)


def test_an_invalid_rule_raises_with_the_field_and_a_suggestion(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        with pytest.raises(ControlError, match=r'wire: "clos" is unknown; did you mean "close"'):
            sandbox.rules.add({"wire": "clos"})

        assert list(sandbox.rules) == []


def test_the_receiver_records_callbacks_and_returns_its_status(mock: RunningMock) -> None:
    with (
        ApixoMock.begun(mock.url) as sandbox,
        CallbackReceiver.listening() as receiver,
    ):
        receiver.status = 500
        mock.api(sandbox.api_key).submit(callback_url=receiver.url)
        sandbox.advance("10m")

        assert len(receiver.wait_for(2)) >= 2
        assert sandbox.callbacks[0]["attempts"][0]["status"] == 500


def test_the_receiver_records_a_chunked_callback() -> None:
    with CallbackReceiver.listening() as receiver, httpx.Client(trust_env=False) as sender:
        for _ in range(2):  # The second one shows that nothing of the first one was left.
            answer = sender.post(receiver.url, content=iter([b'{"code"', b": 200}"]))

            assert answer.request.headers["transfer-encoding"] == "chunked"
            assert answer.status_code == 200

        assert receiver.payloads == [{"code": 200}] * 2


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", id="negative-chunk"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", id="endless-chunk"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n", id="longer-chunk"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 8192, id="endless-line"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: 1\r\n" * 101, id="endless-trailers"
        ),
        pytest.param(b"Content-Length: -1\r\n\r\n", id="negative-length"),
        pytest.param(b"Content-Length: 1_0\r\n\r\n" + b"0" * 10, id="length-with-underscore"),
        pytest.param(b"Content-Length: 9999999\r\n\r\n", id="too-long"),
    ],
)
def test_the_receiver_rejects_an_invalid_body_and_closes_the_connection(sent: bytes) -> None:
    with CallbackReceiver.listening() as receiver:
        url = httpx.URL(receiver.url)
        with socket.create_connection((url.host, url.port or 0), PATIENCE_S) as sender:
            sender.sendall(b"POST /callback HTTP/1.1\r\nHost: receiver\r\n" + sent)
            answer = sender.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert receiver.bodies == []


def test_a_sender_that_closes_the_connection_logs_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    of_others = set(running_threads())
    with CallbackReceiver.listening() as receiver:
        url = httpx.URL(receiver.url)
        reset = struct.pack("ii", 1, 0)
        with socket.create_connection((url.host, url.port or 0)) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            sender.sendall(b"POST /callback HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
            receiver.wait_for(1)
        for thread in set(running_threads()) - of_others:
            if "process_request_thread" in thread.name:
                thread.join(PATIENCE_S)

    assert capfd.readouterr().err == ""


@pytest.mark.anyio
async def test_running_async_answers_while_the_event_loop_is_blocked() -> None:
    async with mock_server.running_async() as server:
        health = httpx.get(f"{server.base_url}/_mock/health", timeout=PATIENCE_S, trust_env=False)  # noqa: ASYNC210  # on purpose

    assert health.json() == {"status": "ok"}


def test_a_server_that_cannot_start_raises_the_reason() -> None:
    with (
        pytest.raises(Exception, match='"calmer" is unknown'),
        mock_server.running(mock_server.Settings(profile="calmer")),
    ):
        pytest.fail("it runs")
