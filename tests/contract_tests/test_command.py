"""`contract-tests` as a process."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Cost, Time
from contract_tests.server.catalogue import all_cases, select_cases
from contract_tests.server.reports.files import read_report
from mock_server.settings import Settings
from tests.contract_tests.command_targets import TAKES_THREE, TRUE
from tests.contract_tests.commands import ROOT, contract_tests, environment
from tests.contract_tests.mutants.harness import Mutant, serving


def ids(stdout: str) -> list[str]:
    """Return the cases of a verbose run that passed, sorted: they are printed as they end."""
    return sorted(line.split()[1] for line in stdout.splitlines() if line.startswith("PASS "))


class TestList:
    def test_prints_a_line_a_case(self) -> None:
        ended = contract_tests("list", is_watched=True)

        assert ended.returncode == 0
        assert [line.split()[0] for line in ended.stdout.splitlines()] == [
            case.id for case in all_cases()
        ]

    def test_tells_machines_all_that_a_case_is(self) -> None:
        cases = json.loads(contract_tests("list", "--json", is_watched=True).stdout)["cases"]

        assert {case["id"] for case in cases} == {case.id for case in all_cases()}
        assert all(case["clauses"] and case["sends"] and case["expects"] for case in cases)
        assert {case["cost"] for case in cases} <= set(Cost)
        assert {case["time"] for case in cases} <= set(Time)
        assert {type(case["needs_control"]) for case in cases} == {bool}


class TestChoice:
    def test_switches_that_repeat_add_up(self) -> None:
        words = ("--select", "S-SUB-001", "--select", "S-SUB-01*", "--deselect", "S-SUB-01[02-9]")
        ended = contract_tests("run", "-v", *words)

        assert ended.returncode == 0
        assert ids(ended.stdout) == ["S-SUB-001", "S-SUB-011"]

    def test_a_clause_chooses_the_cases_that_are_about_it(self) -> None:
        words = ("--verbose", "--clause", "SUB-11", "--clause", "AUTH-2", "--seed", "1")
        ended = contract_tests("run", *words)
        wanted = select_cases(all_cases(), clauses=("SUB-11", "AUTH-2"))

        assert ended.returncode == 0, ended.stdout
        assert ids(ended.stdout) == sorted(case.id for case in wanted)

    def test_smoke_is_a_part(self) -> None:
        ended = contract_tests("run", "-v", "--suite", "smoke", "--workers", "2")

        assert ended.returncode == 0, ended.stdout
        assert ids(ended.stdout) == sorted(case.id for case in all_cases() if case.is_smoke)

    def test_the_older_name_of_suite_still_works(self) -> None:
        older = contract_tests("plan", "--profile", "smoke", is_watched=True)
        newer = contract_tests("plan", "--suite", "smoke", is_watched=True)

        assert older.returncode == 0
        assert older.stdout == newer.stdout

    @pytest.mark.parametrize(
        "words",
        [
            ("--select", "S-NOPE-*"),
            ("--select", "S-SUB-*", "--select", "S-SUP-*"),
            ("--deselect", "S-NOPE-*"),
            ("--clause", "SUB-999"),
            ("--clause", "sub-1"),
            ("--select", "S-SUB-001", "--deselect", "S-SUB-001"),
            ("--select", "S-SUB-001", "--clause", "AUTH-2"),
        ],
        ids=" ".join,
    )
    def test_a_choice_that_chooses_nothing_is_wrong_usage(self, words: tuple[str, ...]) -> None:
        ended = contract_tests("run", *words, is_watched=True)

        assert (ended.returncode, ended.stdout) == (2, "")
        assert "contract-tests list shows all cases" in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--base-url", "127.0.0.1:8080"),
        ("run", "--base-url", "ftp://127.0.0.1"),
        ("run", "--base-url", "http://key@127.0.0.1"),
        ("run", "--base-url", "http://127.0.0.1:99999"),
        ("run", "--base-url", "http://127.0.0.1/?a=b"),
        ("plan", "--base-url", "nowhere"),
        ("plan", "--select", "S-NOPE-*"),
        ("run", "--workers", "0"),
        ("run", "--seed", "x"),
        ("run", "--suite", "quick"),
        ("run", "--report", "README.md"),
        ("run", "--report", "README.md/folder"),
        ("run", "--replay", "no-such-folder"),
        ("run", "--expected-failures", "no-such-file.toml"),
        ("diff", "docs"),
        ("diff", "docs", "no-such-folder"),
        ("walk",),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_wrong_usage_and_sends_nothing(words: tuple[str, ...]) -> None:
    ended = contract_tests(*words, is_watched=True)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_target_that_nobody_serves_is_an_error_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ended = contract_tests("run", "--base-url", f"http://127.0.0.1:{port}")

    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith(f"Error: http://127.0.0.1:{port} does not respond")
    assert len(ended.stderr.splitlines()) == 1


def test_closed_port_is_reported_in_the_words_of_the_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ended = contract_tests("run", "--base-url", f"http://127.0.0.1:{port}")

    assert "does not respond: Connection refused. Start it" in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--replay", "no-such-folder"),
        ("run", "--expected-failures", "no-such-file.toml"),
        ("diff", "docs", "docs"),
    ],
    ids=" ".join,
)
def test_missing_file_is_named_once_with_the_reason(words: tuple[str, ...]) -> None:
    ended = contract_tests(*words)

    (line,) = ended.stderr.splitlines()
    assert line.endswith(": No such file or directory")
    assert "Errno" not in line


def test_run_without_findings_has_one_blank_line() -> None:
    ended = contract_tests("run", "--select", "S-ENV-001")

    lines = ended.stdout.splitlines()
    assert lines[1] == ""
    assert lines[2].startswith("1 case: 1 PASS")


@pytest.mark.parametrize("command", ["run", "plan", "audit"])
def test_help_shows_the_new_names_of_switches_only(command: str) -> None:
    ended = contract_tests(command, "--help", is_watched=True)

    assert ended.returncode == 0
    assert "--suite" in ended.stdout
    assert "--profile" not in ended.stdout
    assert "--quiet" not in ended.stdout


class TestATarget:
    some = ("--select", "S-AUTH-*", "--select", "S-SUB-01*", "--select", "S-STA-00*")

    @pytest.mark.parametrize("path", ["", "/", "/api/v1", "/api/v1/"])
    def test_may_be_named_with_the_path_of_its_api(self, path: str) -> None:
        with serving(TRUE) as url:
            ended = contract_tests("run", "--base-url", url + path, "--select", "S-SUB-001")

        assert ended.returncode == 0, ended.stdout + ended.stderr

    def test_may_accept_one_key_only(self) -> None:
        settings = Settings(clock="manual", seed=7, api_key=("sk-the-only-one",))
        one_key = Mutant(name="one key", clause="SUB-1", settings=settings)
        with serving(one_key) as url:
            words = ("--base-url", url, *self.some)
            ended = contract_tests("run", *words, env={"APIXO_API_KEY": "sk-the-only-one"})
            given = contract_tests("run", *words, "--api-key", "sk-the-only-one")
            wrong = contract_tests("run", *words)

        assert ended.returncode == given.returncode == 0, ended.stdout
        assert wrong.returncode in {1, 3}

    def test_that_breaks_a_clause_is_caught_by_a_case_of_it(self, tmp_path: Path) -> None:
        with serving(TAKES_THREE) as url:
            ended = contract_tests("run", "--base-url", url, *self.some, "--report", tmp_path)
        report = read_report(tmp_path)

        assert ended.returncode == 1
        failing = {each.id for each in report.clauses if each.verdict is Verdict.FAIL}
        assert "SUB-11" in failing
        assert "FAIL         S-SUB-011" in ended.stdout
        *_, covered, path = ended.stdout.splitlines()
        assert covered.endswith(" testable clauses covered")
        assert path == f"report: {tmp_path / 'report.html'}"

    def test_gets_status_4_if_the_report_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "junit.xml").mkdir()

        ended = contract_tests("run", "--select", "S-STA-001", "--report", tmp_path)

        assert ended.returncode == 4
        assert ended.stderr == f"Error: {tmp_path}: cannot write the report: Is a directory\n"
        assert ended.stdout.splitlines()[-1].endswith(" testable clauses covered")

    def test_whose_failure_is_expected_has_passed(self, tmp_path: Path) -> None:
        known = tmp_path / "known.toml"
        known.write_text('"S-SUB-011" = "the service takes three since May"\n')
        words = ("--select", "S-SUB-011", "--expected-failures", known)
        with serving(TAKES_THREE) as url:
            expected = contract_tests("run", "--base-url", url, *words)
        unexpected = contract_tests("run", *words)

        assert expected.returncode == 0
        assert "(expected: the service takes three since May)" in expected.stdout
        assert unexpected.returncode == 1
        assert "expected to fail" in unexpected.stdout


def test_a_run_that_is_told_to_end_takes_its_mock_with_it() -> None:
    command = [sys.executable, "-m", "contract_tests", "run"]
    with subprocess.Popen(
        command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (mock,) = children(process.pid)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()

    assert process.returncode == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(mock, 0)


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()]
