"""The steps of the GitHub Action, run as a runner would, with this installation of the kit."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}


class Runner:
    """A runner with the files and variables that a step finds."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "apixo-testkit").mkdir()
        (directory / "apixo-testkit/bin").symlink_to(Path(sys.executable).parent)

    def run(self, name: str, **inputs: str) -> "subprocess.CompletedProcess[str]":
        """Run a step with these inputs, and the defaults of the others."""
        given = {key: each.get("default", "") for key, each in ACTION["inputs"].items()} | inputs
        variables = {
            variable: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], text)
            for variable, text in STEPS[name]["env"].items()
        }
        runner = {
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(self.directory / "output"),
            "GITHUB_STEP_SUMMARY": str(self.directory / "summary"),
            "RUNNER_TEMP": str(self.directory),
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", STEPS[name]["run"]],
            cwd=self.directory,
            env={**os.environ, **runner, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE_S * 3,
        )

    @property
    def outputs(self) -> dict[str, str]:
        path = self.directory / "output"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    yield runner
    if "pid" in runner.outputs:
        os.kill(int(runner.outputs["pid"]), signal.SIGTERM)


def test_serve_outputs_the_address_of_a_mock_that_is_ready(runner: Runner) -> None:
    done = runner.run("Start the mock", switches="--seed 7 --clock manual")

    assert done.returncode == 0, done.stdout
    with urllib.request.urlopen(f"{runner.outputs['base-url']}/_mock/info") as answer:
        assert b'"seed":7' in answer.read().replace(b" ", b"")
    assert Path(runner.outputs["log"]).exists()


def test_serve_fails_with_the_reason_if_the_mock_cannot_start(runner: Runner) -> None:
    done = runner.run("Start the mock", switches="--clock sundial")

    assert done.returncode == 1
    assert "::error::the mock did not start: " in done.stdout
    assert "sundial" in done.stdout


def test_audit_writes_the_summary_and_exits_as_the_audit_does(runner: Runner) -> None:
    done = runner.run("Audit the client", exec="false {prompt}", report="reports")

    assert done.returncode in {1, 3}, done.stdout
    assert runner.outputs == {"report": "reports"}
    summary = (runner.directory / "summary").read_text("utf-8")
    assert summary == (runner.directory / "reports/summary.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"mode": "record"}, "::error::mode: must be serve or audit (got record)"),
        ({"mode": "audit"}, "::error::exec: must be the command that runs the client"),
    ],
)
def test_invalid_inputs_are_rejected_before_anything_is_installed(
    runner: Runner, inputs: dict[str, str], message: str
) -> None:
    done = runner.run("Install", **inputs)

    assert (done.returncode, done.stdout.strip()) == (2, message)


def test_every_input_and_output_is_used() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")

    assert all(f"inputs.{name}" in text for name in ACTION["inputs"])
    scripts = "".join(path.read_text("utf-8") for path in (ROOT / ".github/action").iterdir())
    assert all(f"{name}=" in scripts for name in ACTION["outputs"])
