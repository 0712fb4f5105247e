"""Scripts as the provider's pages show them are audited as anybody's, and the findings are true.

They wait for real, so few cases are asked, side by side.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parent / "clients"
SELECTED = (
    "C-REQ-*", "C-POLL-001", "C-POLL-002", "C-POLL-003", "C-RES-*", "C-FAIL-*", "C-PAY-*",
    "C-LIM-001", "C-LIM-003", "C-LIM-005", "C-ROB-001", "C-ROB-006",
)  # fmt: skip
TRUE_OF_BOTH = {
    "C-LIM-001": "WARN",  # it does not try again: it reads data.taskId of a refusal, and dies
    "C-LIM-003": "WARN",
    "C-RES-004": "FAIL",  # half an image is stored for a whole one
    "C-ROB-001": "FAIL",  # an answer that is none ends it, though the task goes on
    "C-ROB-006": "FAIL",
}


Verdicts = dict[str, str]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdicts]:
    """Audit both at the same time: nearly all of it is waiting."""
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
    """Return what is not as it should be, by rule."""
    report = json.loads((directory / "report.json").read_bytes())
    fine = {"PASS", "SKIP"}
    return {r["id"]: r["verdict"] for r in report["rules"] if r["verdict"] not in fine}


def test_the_script_with_requests(verdicts: dict[str, Verdicts]) -> None:
    assert verdicts["requests"] == TRUE_OF_BOTH


def test_the_script_with_fetch(verdicts: dict[str, Verdicts]) -> None:
    if "fetch" not in verdicts:
        pytest.skip("needs node to run the script (Debian: apt-get install nodejs)")

    assert verdicts["fetch"] == TRUE_OF_BOTH | {"C-REQ-006": "FAIL"}  # the id is pasted
