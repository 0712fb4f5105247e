"""What the fixtures promise to a suite that is not ours."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import mock_server
from mock_server.testing.control import ControlRefused, NotYet
from mock_server.testing.receiver import CallbackReceiver
from mock_server.testing.sandbox import ApixoMock
from tests.mock_server.e2e.serving import RunningMock

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


def ran(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=text)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_a_failing_test_tells_what_happened_and_no_key(pytester: pytest.Pytester) -> None:
    ended = ran(pytester, FAILING)

    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["*APIXO mock*", "*503*/current-balance*next-1: refuse 503*"])
    assert "apixo-test-" not in ended.stdout.str()


def test_the_same_test_draws_the_same_chance_again(pytester: pytest.Pytester) -> None:
    lines = [
        line
        for _ in range(2)
        for line in ran(pytester, TWO_RUNS, "-s").outlines
        if line.startswith(("task", ".task", "test_it.py task"))
    ]

    assert len(lines) == 2
    assert lines[0] == lines[1]


def test_the_marker_is_known_and_its_settings_are_checked(pytester: pytest.Pytester) -> None:
    ended = ran(
        pytester,
        "import pytest\n@pytest.mark.apixo_mock(profil='calm')\ndef test_it(apixo_mock): pass\n",
        "--strict-markers",
    )

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*profil: is unknown; did you mean 'profile'?*"])


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


def test_a_sandbox_is_gone_when_its_test_has_ended(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        api = mock.api(sandbox.api_key)
        api.submit()

    assert api.told("GET", "tasks") == {"tasks": []}


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


@pytest.mark.anyio
async def test_a_server_runs_in_an_event_loop_too() -> None:
    async with mock_server.running_async() as server:
        assert server.base_url.startswith("http://127.0.0.1:")


def test_a_server_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(Exception, match="'calmer' is unknown"),
        mock_server.running(mock_server.Settings(profile="calmer")),
    ):
        pytest.fail("it runs")
