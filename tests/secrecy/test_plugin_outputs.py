"""No output of pytest shows the API key of a sandbox, unless a test prints the key itself."""

from pathlib import Path

import pytest

from tests.secrecy.outputs import Outputs

pytest_plugins = ["pytester"]

SUITE = """
import json, os, urllib.error, urllib.request

from mock_server.testing.sandbox import ApixoMock
from tests.secrecy.key_search import forms_of

SUBMIT = "/api/v1/generateTask/gpt-image-1"

def call(path, **more):
    body = json.dumps({"input": {"prompt": " ".join(forms())}, **more}).encode()
    headers = {"Authorization": "Bearer " + os.environ["APIXO_API_KEY"],
               "Content-Type": "application/json", "X-Key": forms()[0]}
    request = urllib.request.Request(os.environ["APIXO_BASE_URL"] + path, body, headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]

def forms():
    with open("keys", "a") as file:
        file.write(os.environ["APIXO_API_KEY"] + "\\n")
    return list(forms_of(os.environ["APIXO_API_KEY"]).values())

def test_failing(apixo_mock, apixo_callback_receiver):
    url = apixo_callback_receiver.url + "?key=" + forms()[0]
    call(SUBMIT, request_type="callback", callback_url=url)
    apixo_mock.advance("5m")
    assert apixo_mock.journal == apixo_mock.rules

def test_rejected(apixo_mock):
    try:
        call(SUBMIT, provider=forms()[0])
    except urllib.error.HTTPError as error:
        assert error.read() == b""

def test_control_error(apixo_mock):
    call(SUBMIT)
    apixo_mock.configure(profile="none")

def test_wait(apixo_mock):
    call(SUBMIT)
    apixo_mock.wait_for("submit", count=9, timeout=0.01)

def test_violation(apixo_mock):
    apixo_mock.next(refuse={"status": 429, "retry_after": 60})
    try:
        call(SUBMIT)
    except OSError as error:
        error.close()
    call(SUBMIT)
    apixo_mock.audit(strict=True)

def naughty(job):
    call(SUBMIT, more=job.api_key)
    raise RuntimeError(f"no picture for {job} {job.api_key}")

def test_explore(apixo_mock):
    apixo_mock.explore(naughty, examples=2)

def test_replay(apixo_mock):
    apixo_mock.replay(naughty, rules=[])

def test_tasks(apixo_mock):
    call(SUBMIT)
    assert apixo_mock.tasks == apixo_mock.callbacks == []
"""


def test_no_report_of_a_failed_test_contains_the_key_of_its_sandbox(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_it=SUITE)
    plugins = ("--disable-plugin-autoload", "-p", "mock_server.pytest_plugin")
    ended = pytester.runpytest_inprocess(
        *plugins, "-p", "no:cacheprovider", "-vv", "--junitxml", "junit.xml"
    )
    outputs = Outputs()
    outputs.add("pytest", ended.stdout.str() + ended.stderr.str())
    outputs.add_files([Path("junit.xml")])
    keys = {*Path("keys").read_text("utf-8").split()}

    ended.assert_outcomes(failed=8)
    assert "ContractViolation" in ended.stdout.str()
    assert len(keys) > 8
    assert {key: places for key in keys if (places := outputs.with_key(key))} == {}
