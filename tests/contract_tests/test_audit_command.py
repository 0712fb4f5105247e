"""`contract-tests audit` as a process."""

import errno
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import click
import httpx
import pytest

from contract_tests.client.reports.files import read_audit
from contract_tests.command.directories import make_directory
from contract_tests.contract.mock_process import start_mock
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.commands import ROOT, contract_tests, environment
from tests.patience import PATIENCE_S

SUBMIT = "/api/v1/generateTask/gpt-image-1"
BODY = {"request_type": "async", "provider": "auto",
        "input": {"mode": "gpt-image-1", "prompt": "a fox", "aspect_ratio": "1:1"}}  # fmt: skip
CLIENT = f"""
import atexit, json, os, sys, urllib.error, urllib.request

rejections = []

@atexit.register
def report_rejections():
    if rejections:
        print("rejected:", *rejections, flush=True)
        os._exit(1)

def ask(path, body=None, **headers):
    key = {{"Authorization": "Bearer " + os.environ["APIXO_API_KEY"]}}
    kind = {{"Content-Type": "application/json"}}
    url = os.environ["APIXO_BASE_URL"] + path
    request = urllib.request.Request(url, body, key | kind | headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None

def submit(**headers):
    status, answer = ask("{SUBMIT}", b'''{json.dumps(BODY)}''', **headers)
    if status != 200:
        rejections.append(status)
    return status, answer
"""
ONCE = "submit()"
TWICE = "submit(), submit()"
THEN_ASK = """
status, answer = submit()
if status == 200:
    ask("/api/v1/statusTask/gpt-image-1?taskId=" + answer["data"]["taskId"])
"""


@pytest.fixture
def client(tmp_path: Path) -> Any:
    """Return a function that writes a client and returns the command that runs it."""

    def written(doing: str, *words: str) -> str:
        path = tmp_path / "client.py"
        path.write_text(f"{CLIENT}\n{doing}\n", "utf-8")
        return " ".join([shlex.join([sys.executable, str(path)]), *words])

    return written


def audit(command: str, *words: str | Path, select: str = "A-LIM-005", **given: Any) -> Any:
    return contract_tests("audit", "--exec", command, "--select", select, *words, **given)


def exit_and_verdict(ended: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    return ended.returncode, verdict_of(ended.stdout)


def verdict_of(output: str) -> str:
    """Return the verdict of the only case, from the line with the counts."""
    (verdict,) = re.findall(r"^1 case: 1 ([A-Z]+);", output, re.MULTILINE)
    return str(verdict)


class TestUsage:
    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ((), "one of --exec COMMAND and --watch is required"),
            (("--exec", "true", "--watch"), "one of --exec COMMAND and --watch is required"),
            (("--exec", ""), "give the command that runs your client"),
            (("--exec", "'"), "--exec: invalid command line: No closing quotation"),
            (("--exec", "no-such-command {prompt}"), 'command not found: "no-such-command"'),
            (("--exec", "README.md"), 'command not found: "README.md"'),
            (("--exec", "./README.md"), 'file is not executable: "./README.md"'),
            (("--exec", "true {promt}"), "unknown placeholder {promt}; did you mean {prompt}?"),
            (
                ("--exec", "true {nothing}"),
                "unknown placeholder {nothing}; the known ones are {base_url}",
            ),
            (("--exec", "true", "--idle-timeout", "1"), "--idle-timeout requires --watch"),
            (("--exec", "true", "--quiet", "1"), "--idle-timeout requires --watch"),
            (("--exec", "true", "--manifest", "x"), "--manifest requires --watch"),
            (("--exec", "true", "--select", "A-LIM-05"), 'did you mean "A-LIM-005"?'),
            (("--exec", "true", "--select", "c-pol-002"), 'did you mean "C-POLL-002"?'),
            (("--exec", "true", "--select", "A-*", "--select", "@"), "list --audit"),
            (("--exec", "true", "--select", "C-LIM-007"), "not tested by any case"),
            (("--exec", "true", "--report", "README.md"), "README.md"),
            (("--exec", "true", "--report", "README.md/folder"), "README.md/folder"),
            (("--watch", "--manifest", "README.md/file"), "README.md"),
            (("--exec", "true", "--timeout", "0"), "--timeout"),
            (("--exec", "true", "--base-url", "http://x", "--seed", "1"), "omit --base-url"),
            (("--exec", "true", "--base-url", "http://x", "--port", "1"), "omit --base-url"),
            (("--exec", "true", "--suite", "smoke"), "--suite"),
            (("--exec", "true", "--profile", "smoke"), "--suite"),
        ],
        ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
    )
    def test_invalid_usage_is_rejected_before_anything_starts(
        self, words: tuple[str, ...], told: str
    ) -> None:
        ended = contract_tests("audit", *words, is_watched=True)

        assert (ended.returncode, ended.stdout) == (2, "")
        assert told in ended.stderr
        assert "Traceback" not in ended.stderr

    def test_mock_that_runs_already_is_used(self, tmp_path: Path) -> None:
        with start_mock(11) as url:
            ended = audit("true", "--base-url", f"{url}/", "--report", str(tmp_path))
            is_alive = httpx.get(f"{url}/_mock/health").status_code == 200

        report = json.loads((tmp_path / "report.json").read_bytes())
        assert (report["base_url"], report["seed"], is_alive) == (url, 11, True)
        assert "sent no request to the mock" in ended.stderr

    def test_address_without_a_mock_is_reported(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ended = audit("true", "--base-url", url)

        assert (ended.returncode, ended.stdout) == (2, "")
        assert f"--base-url {url}: cannot be reached" in ended.stderr

    def test_other_server_is_no_mock(self) -> None:
        with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
            Thread(target=other.handle_request).start()
            ended = audit("true", "--base-url", f"http://127.0.0.1:{other.server_port}")

        assert (ended.returncode, ended.stdout) == (2, "")
        assert "is not a mock server; start one with mock-server" in ended.stderr

    def test_port_in_use_is_reported(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            ended = audit("true", "--port", str(taken.getsockname()[1]))

        assert (ended.returncode, ended.stdout) == (2, "")
        assert "--port 0 chooses a free port" in ended.stderr

    def test_report_directory_without_write_permission_is_reported_before_the_audit(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def is_denied(**_: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(tempfile, "TemporaryFile", is_denied)

        with pytest.raises(click.UsageError, match="report: Permission denied"):
            make_directory(tmp_path / "report")

    def test_manifest_that_cannot_be_written_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / ".keys.json.part").mkdir()
        ended = contract_tests("audit", "--watch", "--manifest", tmp_path / "keys.json")

        assert (ended.returncode, ended.stdout) == (2, "")
        assert "keys.json: Is a directory" in ended.stderr


class TestVerdict:
    def test_correct_client_passes(self, client: Any) -> None:
        ended = audit(client(ONCE))

        assert exit_and_verdict(ended) == (0, "PASS")

    def test_client_that_retries_a_400_fails_with_advice(self, client: Any, tmp_path: Path) -> None:
        ended = audit(client(TWICE), "--report", tmp_path / "report")
        report = read_audit(tmp_path / "report")

        assert exit_and_verdict(ended) == (1, "FAIL")
        assert "Do not retry 400" in ended.stdout
        assert report.summary.exit_status == 1
        events = {each.rule: each.event for each in report.cases[0].findings}
        assert events["C-LIM-005"] == 2

    def test_summary_is_printed_although_the_report_cannot_be_written(
        self, client: Any, tmp_path: Path
    ) -> None:
        report = tmp_path / "report"
        blocks = (
            f"{ONCE}; import pathlib; at = pathlib.Path({str(report)!r}); at.rmdir(); at.touch()"
        )

        ended = audit(client(blocks), "--report", report)

        assert verdict_of(ended.stdout) == "PASS"
        assert ended.returncode == 2
        assert f"Error: {report}: the report could not be written: " in ended.stderr
        assert "Traceback" not in ended.stderr

    def test_client_without_requests_is_inconclusive(self, tmp_path: Path) -> None:
        ended = audit("true", "--report", tmp_path)
        (case,) = read_audit(tmp_path).cases

        assert ended.returncode == 3
        assert case.verdict is Verdict.INCONCLUSIVE
        assert case.reason.startswith("the client sent no request with this key")

    def test_selected_rule_is_judged_in_all_its_cases(self, client: Any, tmp_path: Path) -> None:
        ended = audit(client(THEN_ASK), "--report", tmp_path / "report", select="C-LIM-005")
        report = read_audit(tmp_path / "report")

        assert ended.returncode == 0, ended.stdout
        assert [case.id for case in report.cases] == [
            "A-FAIL-003", "A-LIM-005", "A-LIM-006", "A-LIM-007", "A-LIM-011",
        ]  # fmt: skip
        assert {each.rule for case in report.cases for each in case.findings} == {"C-LIM-005"}

    def test_warning_fails_only_with_strict(self, client: Any) -> None:
        gives_up = client(ONCE)
        mild = audit(gives_up, select="A-LIM-003")
        strict = audit(gives_up, "--strict", select="A-LIM-003")

        assert exit_and_verdict(mild) == (0, "WARN")
        assert exit_and_verdict(strict) == (1, "WARN")

    def test_client_that_never_retries_is_skipped_if_that_is_declared(
        self, client: Any, tmp_path: Path
    ) -> None:
        reports = client(ONCE)
        ended = audit(reports, "--no-retry", "--report", tmp_path, select="C-LIM-003")

        assert exit_and_verdict(ended) == (0, "SKIP")
        assert "not tested: the client does not retry requests (--no-retry)" in ended.stdout
        assert ended.stdout.count("to test: Omit --no-retry if that is not so.") == 1
        assert read_audit(tmp_path).declared == ("--no-retry",)

    def test_client_that_takes_an_empty_response_for_success_fails(self, client: Any) -> None:
        ended = audit(client("try: submit()\nexcept ValueError: pass"), select="A-PAY-005")

        assert exit_and_verdict(ended) == (1, "FAIL")
        assert "the client learned of no result, and exited with status 0" in ended.stdout

    def test_client_that_crashes_on_a_429_fails(self, client: Any) -> None:
        crash = "answer = submit()[1]; rejections.clear(); print(answer['data']['taskId'])"
        ended = audit(client(crash), select="A-LIM-003")

        assert exit_and_verdict(ended) == (1, "FAIL")
        assert "the output does not say so, and shows a crash" in ended.stdout

    def test_callback_cases_are_skipped_without_a_callback_port(self) -> None:
        ended = audit("true", select="A-CB-001")

        assert exit_and_verdict(ended) == (0, "SKIP")
        assert "has no {callback_port}" in ended.stdout


class TestClientThatDoesNotReachTheMock:
    def test_audit_stops_after_the_first_case_and_says_how_the_client_ended(
        self, client: Any, tmp_path: Path
    ) -> None:
        crashes = client(
            "open(sys.argv[1], 'a').write(os.environ['APIXO_API_KEY'] + '\\n')\n"
            "print('no such model for', os.environ['APIXO_API_KEY'])\n"
            "sys.exit(7)",
            str(tmp_path / "keys"),
        )
        ended = audit(crashes, "--parallel", "1", "--report", tmp_path / "report", select="A-*")
        cases = read_audit(tmp_path / "report").cases

        (key,) = (tmp_path / "keys").read_text().split()
        assert ended.returncode == 3
        assert ended.stderr.splitlines()[0].endswith(
            "The client exited with status 7. The end of its output:"
        )
        assert ended.stderr.splitlines()[1:-1] == ["  no such model for [key]"]
        assert "Check the command in --exec" in ended.stderr
        assert key not in ended.stdout + ended.stderr
        reasons = [case.reason for case in cases if case.verdict is Verdict.INCONCLUSIVE]
        assert reasons.count("not run: the client did not reach the mock") == len(reasons) - 1

    def test_client_that_hangs_stops_the_audit_as_well(self, client: Any) -> None:
        hangs = client("import time; time.sleep(600)")
        ended = audit(hangs, "--parallel", "1", "--timeout", "0.5", select="A-LIM-00[56]")

        assert ended.returncode == 3
        assert "The client was stopped after " in ended.stderr

    def test_audit_goes_on_if_the_client_has_reached_the_mock_in_another_case(
        self, client: Any, tmp_path: Path
    ) -> None:
        shy = client("'A-LIM-005' in sys.argv[1] and submit()", "{prompt}")
        ended = audit(shy, "--parallel", "1", select="A-LIM-00[56]")

        assert "2 cases: 1 INCONCLUSIVE, 1 PASS" in ended.stdout
        assert ended.stderr == ""


class TestClient:
    def test_client_that_hangs_is_stopped_with_its_children(
        self, client: Any, tmp_path: Path
    ) -> None:
        hangs = client(
            "import pathlib, signal, subprocess, time\n"
            "deaf = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);'\n"
            "deaf += 'print(1, flush=True); time.sleep(600)'\n"
            "child = subprocess.Popen([sys.executable, '-c', deaf], stdout=subprocess.PIPE)\n"
            "child.stdout.readline()\n"
            "pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()} {child.pid}')\n"
            "submit(), time.sleep(600)",
            str(tmp_path / "pids"),
        )
        ended = audit(hangs, "--timeout", "2", "--report", tmp_path / "report")
        (case,) = read_audit(tmp_path / "report").cases

        assert case.timed_out, ended.stdout
        assert case.reason == "the client was stopped after 2 s"
        pids = (tmp_path / "pids").read_text().split()
        assert [pid for pid in pids if is_alive(pid)] == []

    def test_placeholders_and_environment_are_filled_in(self, client: Any, tmp_path: Path) -> None:
        told = self.given(
            client, tmp_path,
            "{base_url} {api_key} '{prompt}' {out_dir} {image_url} {callback_port}"
            " x{api_key}x {{other}} {} {{prompt}} '{\"a\": 1}' ${HOME} %{size}",
        )  # fmt: skip
        base_url, key, prompt, _, image_url, port, *rest = told["words"]

        assert told["environment"] == {
            "APIXO_BASE_URL": base_url,
            "APIXO_API_KEY": key,
            "APIXO_CALLBACK_URL": f"http://127.0.0.1:{port}/callback",
        }
        assert told["is_folder"]
        assert prompt
        assert image_url.startswith("https://")
        left_alone = ["{other}", "{}", "{prompt}", '{"a": 1}', "${HOME}", "%{size}"]
        assert rest == [f"x{key}x", *left_alone]

    def test_callback_address_is_set_only_with_a_callback_port(
        self, client: Any, tmp_path: Path
    ) -> None:
        told = self.given(client, tmp_path, "1 2 3 {out_dir}")

        assert set(told["environment"]) == {"APIXO_BASE_URL", "APIXO_API_KEY"}

    @staticmethod
    def given(client: Any, tmp_path: Path, words: str) -> Any:
        """Return what a client is given while the user has a key and a callback address too."""
        command = client(
            "apixo = {name: text for name, text in os.environ.items() if name[:6] == 'APIXO_'}\n"
            "told = {'words': sys.argv[2:], 'environment': apixo,"
            " 'is_folder': os.path.isdir(sys.argv[5])}\n"
            "json.dump(told, open(sys.argv[1], 'w'))",
            str(tmp_path / "told.json"),
            words,
        )
        audit(command, env={"APIXO_API_KEY": "mine", "APIXO_CALLBACK_URL": "http://mine"})
        return json.loads((tmp_path / "told.json").read_text())

    def test_no_report_contains_the_key(self, client: Any, tmp_path: Path) -> None:
        leaks = client(
            "key = os.environ['APIXO_API_KEY']\n"
            "open(sys.argv[1], 'w').write(key)\n"
            "print(key, key.upper(), file=sys.stderr)\n"
            "body = json.dumps({'input': {'prompt': key}, key: key}).encode()\n"
            f"ask('{SUBMIT}?key=' + key, body, **{{'User-Agent': key, 'X-Key': key}})\n"
            "sys.exit(key)",
            str(tmp_path / "key"),
        )
        ended = audit(leaks, "--report", tmp_path / "report")
        key = (tmp_path / "key").read_text().lower()

        files = list((tmp_path / "report").iterdir())
        assert len(files) == 4
        assert [path.name for path in files if key in path.read_text("utf-8").lower()] == []
        assert key not in (ended.stdout + ended.stderr).lower()


class TestWatch:
    def test_watch_ends_after_the_idle_timeout(self, tmp_path: Path) -> None:
        words = ("--idle-timeout", "0.3", "--manifest", str(tmp_path / "keys.json"))
        with watching(*words) as (process, printed):
            kept = json.loads((tmp_path / "keys.json").read_text())
            refuse(kept)
            rest = process.communicate(timeout=PATIENCE_S)[0]

        assert kept == printed
        assert [each["id"] for each in kept["cases"]] == ["A-LIM-005"]
        assert (process.returncode, verdict_of(rest)) == (0, "PASS")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
    def test_watch_ends_with_a_signal(self, tmp_path: Path, number: signal.Signals) -> None:
        with watching("--report", str(tmp_path)) as (process, manifest):
            refuse(manifest, times=2)
            process.send_signal(number)
            rest = process.communicate(timeout=PATIENCE_S)[0]

        assert (process.returncode, verdict_of(rest)) == (1, "FAIL")
        assert read_audit(tmp_path).client == "clients that used the keys"

    def test_ctrl_c_does_not_reach_the_mock(self) -> None:
        with watching() as (process, manifest):
            refuse(manifest)
            groups = {os.getpgid(pid) for pid in children(process.pid)}
            os.killpg(process.pid, signal.SIGINT)
            rest, errors = process.communicate(timeout=PATIENCE_S)

        assert (process.returncode, verdict_of(rest)) == (0, "PASS"), errors
        assert groups
        assert process.pid not in groups  # else the mock ends before its journal is read

    def test_watch_without_requests_is_inconclusive(self) -> None:
        with watching() as (process, _):
            process.send_signal(signal.SIGTERM)
            rest = process.communicate(timeout=PATIENCE_S)[0]

        assert (process.returncode, verdict_of(rest)) == (3, "INCONCLUSIVE")

    def test_cases_with_unused_keys_are_skipped(self) -> None:
        with watching("--select", "A-LIM-006") as (process, manifest):
            refuse(manifest)
            process.send_signal(signal.SIGTERM)
            rest = process.communicate(timeout=PATIENCE_S)[0]

        assert process.returncode == 0
        assert "SKIP         A-LIM-006" in rest


@contextmanager
def watching(*words: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Start a watching audit in a process group of its own, and give its manifest."""
    command = [sys.executable, "-m", "contract_tests", "audit", "--watch", "--select", "A-LIM-005"]
    with subprocess.Popen(
        [*command, *words],
        env=environment(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()  # it judges, and ends its mock


def refuse(manifest: Any, times: int = 1) -> None:
    """Send the submit of the first case, which the mock rejects."""
    headers = {"Authorization": f"Bearer {manifest['cases'][0]['api_key']}"}
    for _ in range(times):
        answer = httpx.post(
            manifest["base_url"] + SUBMIT, headers=headers, json=BODY, trust_env=False
        )
        assert answer.status_code == 400


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()]


def is_alive(pid: str) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
