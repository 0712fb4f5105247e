"""The plugin in suites outside this project: fixtures, markers and reports of failures."""

import subprocess
import sys
from pathlib import Path

import pytest

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
