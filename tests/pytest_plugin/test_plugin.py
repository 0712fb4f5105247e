"""What the fixtures promise to a suite that is not ours."""

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
from mock_server.testing.control import ControlRefused, NotYet
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


def ran(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    """Run a suite with our plugin only; with all that are installed runs test_page.py."""
    pytester.makepyfile(test_it=text)
    plugins = ["--disable-plugin-autoload", "-p", "mock_server.pytest_plugin"]
    return pytester.runpytest_subprocess(*plugins, "-p", "no:cacheprovider", *arguments)


def test_a_failing_test_tells_what_happened_and_no_key(pytester: pytest.Pytester) -> None:
    ended = ran(pytester, FAILING)

    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["*APIXO mock*", "*503*/current-balance*next-1: refuse 503*"])
    assert "apixo-test-" not in ended.stdout.str()


def task_ids_of_two_runs(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    return [
        line
        for _ in range(2)
        for line in ran(pytester, TWO_RUNS, "-s", *arguments).outlines
        if line.startswith(("task", ".task", "test_it.py task"))
    ]


def test_the_same_test_draws_the_same_chance_again(pytester: pytest.Pytester) -> None:
    first, second = task_ids_of_two_runs(pytester)

    assert first == second


def test_two_runs_on_one_shared_server_do_not_share_a_task(
    pytester: pytest.Pytester, mock: RunningMock
) -> None:
    first, second = task_ids_of_two_runs(pytester, "--apixo-mock-url", f"http://{mock.host}")

    assert first != second


def test_the_marker_is_known_and_its_settings_are_checked(pytester: pytest.Pytester) -> None:
    ended = ran(
        pytester,
        "import pytest\n@pytest.mark.apixo_mock(profil='calm')\ndef test_it(apixo_mock): pass\n",
        "--strict-markers",
    )

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*profil: is unknown; did you mean 'profile'?*"])


def test_markers_add_up_and_need_neither_the_fixtures_name_nor_take_positions(
    pytester: pytest.Pytester,
) -> None:
    ended = ran(pytester, MARKED)

    ended.assert_outcomes(passed=2, errors=1)
    ended.stdout.fnmatch_lines(["the marker apixo_mock takes names only*profile='hostile'"])


def test_a_failed_set_up_tells_what_happened_too(pytester: pytest.Pytester) -> None:
    ended = ran(pytester, BROKEN_SET_UP)

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*APIXO mock*", "nothing was asked of the mock"])


def test_a_mock_that_is_gone_does_not_end_the_run(pytester: pytest.Pytester) -> None:
    ended = ran(pytester, MUTE_MOCK)

    ended.assert_outcomes(passed=1, failed=1, errors=1)
    ended.stdout.fnmatch_lines(["*the failure itself*", "the mock did not tell what happened*"])


def test_an_address_without_a_mock_is_named_in_one_line(pytester: pytest.Pytester) -> None:
    ended = ran(pytester, FAILING, "--apixo-mock-url", "http://127.0.0.1:1/")

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["--apixo-mock-url: no mock server answers at http://127.0.0.1:1:*"])


def test_a_suite_that_asks_for_nothing_imports_nothing_heavy(tmp_path: Path) -> None:
    told = (
        "import sys; before = set(sys.modules); import mock_server.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", f"import pytest; {told}"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip

    assert ended.stdout.split() == ["mock_server", "mock_server.pytest_plugin"]


def test_sandboxes_of_two_tests_know_nothing_of_each_other(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url, name="one") as one, ApixoMock.begun(mock.url, name="two") as two:
        mock.api(one.api_key).submit()

        assert (len(one.tasks), len(two.tasks)) == (1, 0)
        assert Counter([one.journal.count(), two.journal.count()]) == {1: 1, 0: 1}


def test_sandboxes_without_a_seed_share_no_task_ids(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as one, ApixoMock.begun(mock.url) as two:
        assert mock.api(one.api_key).submit() != mock.api(two.api_key).submit()


def test_a_sandbox_is_gone_when_its_test_has_ended(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        api = mock.api(sandbox.api_key)
        api.submit()

    assert api.told("GET", "tasks") == {"tasks": []}


def test_a_sandbox_is_gone_when_its_block_fails(mock: RunningMock) -> None:
    with suppress(ZeroDivisionError), ApixoMock.begun(mock.url) as sandbox:
        mock.api(sandbox.api_key).submit()
        _ = 1 / 0

    assert mock.api(sandbox.api_key).told("GET", "tasks") == {"tasks": []}


def test_a_pause_of_nothing_moves_no_clock(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        began_ms = sandbox.now_ms

        assert sandbox.advance(0) == sandbox.advance(0.0001) == []
        assert sandbox.now_ms == began_ms


def test_every_task_and_entry_is_shown_however_many_there_are(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        api = mock.api(sandbox.api_key)
        for _ in range(101):
            api.submit()
        for _ in range(900):
            api.balance()

        assert len(sandbox.tasks) == 101
        assert len(list(sandbox.journal)) == len(sandbox.journal) == 1001


def test_what_is_told_has_the_transitions_and_the_key_nowhere(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        task_id = mock.api(sandbox.api_key).submit(prompt=f"{'x' * 30}{sandbox.api_key}\x1b[31m")
        sandbox.advance("2m")
        told = sandbox.told()

    assert f"---  {task_id} is processing" in told
    assert f"---  {task_id} is success" in told
    assert sandbox.api_key[:12] not in told
    assert "\x1b" not in told


def test_waiting_ends_when_it_holds_and_says_what_was_seen_otherwise(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        task_id = mock.api(sandbox.api_key).submit()

        assert len(sandbox.wait_for("submit")) == 1
        assert sandbox.wait_for(task=task_id, state="pending")["state"] == "pending"
        with pytest.raises(NotYet, match=r"'success' within 0 s; seen: .*pending"):
            sandbox.wait_for(task=task_id, state="success", timeout=0)


def test_a_wrong_rule_says_what_is_wrong_with_it(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        with pytest.raises(ControlRefused, match=r"wire: 'clos' is unknown; did you mean 'close'"):
            sandbox.rules.add({"wire": "clos"})

        assert list(sandbox.rules) == []


def test_a_receiver_takes_callbacks_and_answers_as_told(mock: RunningMock) -> None:
    with (
        ApixoMock.begun(mock.url) as sandbox,
        CallbackReceiver.listening() as receiver,
    ):
        receiver.status = 500
        mock.api(sandbox.api_key).submit(callback_url=receiver.url)
        sandbox.advance("10m")

        assert len(receiver.wait_for(2)) >= 2
        assert sandbox.callbacks[0]["attempts"][0]["status"] == 500


def test_a_sender_that_gives_up_leaves_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
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
async def test_a_server_beside_an_event_loop_answers_while_the_loop_is_blocked() -> None:
    async with mock_server.running_async() as server:
        health = httpx.get(f"{server.base_url}/_mock/health", timeout=PATIENCE_S, trust_env=False)  # noqa: ASYNC210  # on purpose

    assert health.json() == {"status": "ok"}


def test_a_server_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(Exception, match="'calmer' is unknown"),
        mock_server.running(mock_server.Settings(profile="calmer")),
    ):
        pytest.fail("it runs")
