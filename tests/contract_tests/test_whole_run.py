"""One run of all cases against the unchanged mock, and its recording."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from contract_tests.contract.register import load_register
from contract_tests.contract.run_facts import RunFacts
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports.files import read_report
from contract_tests.server.reports.report import Report
from tests.contract_tests.commands import contract_tests

TESTABLE = sum(clause.testable for clause in load_register())


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory whose `run` holds the reports and whose `tape` holds the recording."""
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def ended(root: Path) -> subprocess.CompletedProcess[str]:
    """Run all cases against the mock that the command starts."""
    words = ("run", "--seed", "5", "--record", root / "tape", "--report", root / "run")
    return contract_tests(*words)


@pytest.fixture
def recorded(root: Path, ended: subprocess.CompletedProcess[str]) -> Path:
    assert ended.returncode == 0, ended.stdout
    return root


def test_the_unchanged_mock_passes_every_case(
    root: Path, ended: subprocess.CompletedProcess[str]
) -> None:
    cases = read_report(root / "run").cases

    assert [case for case in cases if case.verdict not in {Verdict.PASS, Verdict.SKIP}] == []
    assert ended.returncode == 0


def test_a_run_covers_every_testable_clause_and_its_last_lines_say_so(
    root: Path, ended: subprocess.CompletedProcess[str]
) -> None:
    summary = read_report(root / "run").summary

    assert summary.clauses_exercised == summary.clauses_testable == TESTABLE
    covered = f"{TESTABLE} of {TESTABLE} testable clauses covered"
    assert ended.stdout.splitlines()[-2:] == [covered, f"report: {root / 'run' / 'report.html'}"]


def test_a_replay_uses_no_network_and_finds_the_same(recorded: Path, tmp_path: Path) -> None:
    words = ("run", "--replay", recorded / "tape", "--report", tmp_path)
    ended = contract_tests(*words, is_watched=True)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert timeless(read_report(tmp_path)) == timeless(read_report(recorded / "run"))


def test_a_part_of_a_recording_can_be_judged(recorded: Path) -> None:
    words = ("run", "--replay", recorded / "tape", "--select", "S-SUB-011")
    ended = contract_tests(*words, is_watched=True)

    assert ended.returncode == 0
    assert ended.stdout.startswith("replaying http://127.0.0.1:")
    assert "1 case: 1 PASS; repeat with --seed 5" in ended.stdout


def timeless(report: Report) -> Report:
    """Leave out when the run started, and how long it and its cases took."""
    cases = tuple(msgspec.structs.replace(case, duration_s=0.0) for case in report.cases)
    return msgspec.structs.replace(report, cases=cases, run=RunFacts())
