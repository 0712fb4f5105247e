"""The audit finds the true faults of scripts that the provider's pages show.

The scripts wait in real time, so they run in few cases, in parallel.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.properties import is_deep

pytestmark = [pytest.mark.deep, pytest.mark.long]
CLIENTS = Path(__file__).parent / "clients"
ONE_CASE_OF_EACH_KIND = (
    "A-REQ-001", "A-REQ-002", "A-LIM-001", "A-LIM-003", "A-LIM-005", "A-PAY-001", "A-FAIL-001",
    "A-RES-002", "A-ROB-001", "A-ROB-006",
)  # fmt: skip
EVERY_CASE_OF_THE_RULES = (
    "C-REQ-*", "C-POLL-001", "C-POLL-002", "C-POLL-003", "C-RES-*", "C-FAIL-*", "C-PAY-*",
    "C-LIM-001", "C-LIM-003", "C-LIM-005", "C-OUT-*", "C-ROB-001", "C-ROB-006",
)  # fmt: skip
SELECTED = EVERY_CASE_OF_THE_RULES if is_deep() else ONE_CASE_OF_EACH_KIND
FAULTS_OF_BOTH = {
    "C-LIM-001": "WARN",  # It reads data.taskId of a rejection and crashes, so it does not retry.
    "C-LIM-003": "WARN",
    "C-FAIL-004": "FAIL",  # The output of that crash does not say that there was a 429.
    "C-RES-004": "FAIL",  # It stores a truncated image.
    "C-OUT-002": "FAIL",
    "C-ROB-001": "FAIL",  # It crashes on a response that is not JSON, although the task continues.
    "C-ROB-006": "FAIL",
}
IN_EVERY_CASE = {
    "C-LIM-001": "FAIL",  # It stops at a throttled status request, although its task is billed.
    "C-FAIL-005": "WARN",  # It does not say the fail code that rejected the submit.
    "C-RES-007": "FAIL",  # It exits with status 0 when every download was truncated.
}
FETCH_ONLY = {"C-REQ-006": "FAIL"}  # It does not escape the id.
FETCH_ONLY_IN_EVERY_CASE = {
    "C-LIM-005": "FAIL",  # It polls the task `undefined` after a rejection.
}
if is_deep():
    FAULTS_OF_BOTH |= IN_EVERY_CASE
    FETCH_ONLY |= FETCH_ONLY_IN_EVERY_CASE


Verdicts = dict[str, str]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdicts]:
    """Audit both in parallel: they spend nearly all the time waiting."""
    directory = tmp_path_factory.mktemp("audits")
    commands = {"requests": f"{sys.executable} {CLIENTS / 'documented_requests.py'}"}
    if node := shutil.which("node"):
        commands["fetch"] = f"{node} {CLIENTS / 'documented_fetch.mjs'}"
    running = {name: started(command, directory / name) for name, command in commands.items()}
    told = {name: process.communicate()[0] for name, process in running.items()}
    assert {process.returncode for process in running.values()} == {1}, told
    return {name: verdicts_of(directory / name) for name in commands}


def started(command: str, directory: Path) -> "subprocess.Popen[str]":
    switches = [word for glob in SELECTED for word in ("--select", glob)]
    return subprocess.Popen(
        [
            sys.executable, "-m", "contract_tests", "audit",
            "--exec", f"{command} {{prompt}} {{out_dir}}",
            "--parallel", "24", "--timeout", "35", "--report", str(directory), *switches,
        ],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def verdicts_of(directory: Path) -> Verdicts:
    """Return the verdicts that are neither PASS nor SKIP, by rule."""
    report = json.loads((directory / "report.json").read_bytes())
    fine = {"PASS", "SKIP"}
    return {r["id"]: r["verdict"] for r in report["rules"] if r["verdict"] not in fine}


def test_script_with_requests_has_its_known_faults(verdicts: dict[str, Verdicts]) -> None:
    assert verdicts["requests"] == FAULTS_OF_BOTH


def test_script_with_fetch_has_its_known_faults(verdicts: dict[str, Verdicts]) -> None:
    if "fetch" not in verdicts:
        pytest.skip("needs node to run the script (Debian: apt-get install nodejs)")

    assert verdicts["fetch"] == FAULTS_OF_BOTH | FETCH_ONLY
