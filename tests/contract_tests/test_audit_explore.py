"""`contract-tests audit --explore` runs a command in generated scenarios."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from contract_tests.client.driving.command import ClientCommand
from contract_tests.client.driving.scenario_runs import CommandRunner
from contract_tests.client.exploring.exploration import Explorer, TimeIsOver
from contract_tests.client.exploring.invariants import IDS
from contract_tests.client.exploring.scenario import Scenario
from contract_tests.client.records import Trait
from contract_tests.client.reports.files import read_audit
from contract_tests.command.audit_explore import judged_invariants
from contract_tests.command.durations import Duration
from contract_tests.contract.mock_process import start_mock
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.commands import contract_tests, environment
from tests.patience import PATIENCE_S

FORGETFUL = """
import json, os, sys, urllib.request

def call(path, body=None):
    headers = {"Authorization": "Bearer " + os.environ["APIXO_API_KEY"],
               "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["APIXO_BASE_URL"] + path, data, headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]

task = call("/api/v1/generateTask/gpt-image-1", {"input": {"prompt": sys.argv[1]}})
"""
WAITING = f"""{FORGETFUL}
import time

state = {{"state": ""}}
while state["state"] not in ("success", "failed"):
    time.sleep(0.05)
    state = call("/api/v1/statusTask/gpt-image-1?taskId=" + task["taskId"])
for number, url in enumerate(json.loads(state["resultJson"])["resultUrls"]):
    with urllib.request.urlopen(url) as picture, open(f"{{sys.argv[2]}}/{{number}}.png", "wb") as f:
        f.write(picture.read())
"""


@pytest.fixture(scope="module")
def fast_mock() -> Iterator[str]:
    with start_mock(1, "--speed", "100") as url:
        yield url


def command_of(tmp_path: Path, source: str, *words: str) -> str:
    path = tmp_path / "client.py"
    path.write_text(source, "utf-8")
    return " ".join([shlex.join([sys.executable, str(path)]), *words])


def runner_of(url: str, command: str, parallel: int = 2) -> CommandRunner:
    client = ClientCommand(command)
    return CommandRunner(
        url,
        client,
        parallel=parallel,
        timeout_s=PATIENCE_S,
        budget_s=600,
        has_files=client.takes_out_dir,
    )


def test_correct_command_survives_and_a_429_that_it_ignores_is_found(
    tmp_path: Path, fast_mock: str
) -> None:
    command = command_of(tmp_path, WAITING, "{prompt}", "{out_dir}")
    with runner_of(fast_mock, command) as runner:
        explorer = Explorer(runner)
        found = list(
            explorer.explore([Scenario(), Scenario.of("submit-429", "status-member-order")])
        )

    assert explorer.tried == 2
    assert [each.violation.invariant for each in found] == ["X-DONE"]
    assert found[0].outcome.scenario == Scenario.of("submit-429")


def test_restarted_command_runs_twice(tmp_path: Path, fast_mock: str) -> None:
    source = f"{FORGETFUL}\nimport time\nif not os.path.exists(sys.argv[2] + '/1'):\n"
    source += f"    open(sys.argv[2] + '/1', 'w').close()\n    time.sleep({PATIENCE_S})\n"
    with runner_of(fast_mock, command_of(tmp_path, source, "{prompt}", "{out_dir}")) as runner:
        outcome = runner.start(Scenario.of("restart-after-submit")).result()

    assert outcome.runs[0].starts == 2
    assert outcome.applied_names == ("restart-after-submit",)
    assert len(outcome.purchases) == 2


def test_scenario_has_no_outcome_when_the_time_is_over(tmp_path: Path, fast_mock: str) -> None:
    command = command_of(tmp_path, FORGETFUL, "{prompt}")
    with runner_of(fast_mock, command) as runner:
        runner.stop()
        with pytest.raises(TimeIsOver):
            runner.start(Scenario()).result()


def test_ctrl_c_reports_the_failures_so_far(tmp_path: Path) -> None:
    words = ("audit", "--explore", "--exec", command_of(tmp_path, FORGETFUL, "{prompt}"),
             "--parallel", "2", "--seed", "5", "--report", str(tmp_path))  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "contract_tests", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "apixo_mock.replay(" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 130, errors
    printed = "".join(lines) + rest
    assert "FAIL         X-TELL  The client must report a failure" in printed
    assert "interrupted: " in printed
    assert "repeat with --seed 5" in printed
    report = read_audit(tmp_path)
    case = next(each for each in report.cases if each.id == "X-TELL")
    assert case.verdict is Verdict.FAIL
    assert case.reproduction is not None
    assert case.reproduction.rules == Scenario().rules
    assert report.exploration is not None
    assert report.exploration.scenarios >= 1
    for name in ("report.html", "summary.md", "junit.xml"):
        assert "apixo_mock.replay(" in (tmp_path / name).read_text("utf-8")


def test_client_that_does_not_reach_the_mock_ends_the_exploration() -> None:
    ended = contract_tests("audit", "--explore", "--exec", "true {prompt}")

    assert ended.returncode == 3
    assert "the client sent no request to the mock in the first scenario" in ended.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--explore",), "--explore requires --exec COMMAND, without --watch"),
        (("--explore", "--watch"), "--explore requires --exec COMMAND, without --watch"),
        (("--exec", "true", "--budget", "5s"), "--budget requires --explore"),
        (("--explore", "--exec", "true", "--budget", "soon"), "--budget: must be a duration"),
        (("--explore", "--exec", "true", "--suite", "quick"), "--suite selects cases"),
        (("--explore", "--exec", "true", "--select", "C-*"), "matches no invariant of --explore"),
    ],
)  # fmt: skip
def test_wrong_usage_says_what_to_do(words: tuple[str, ...], message: str) -> None:
    ended = contract_tests("audit", *words)

    assert ended.returncode == 2
    assert message in ended.stderr


@pytest.mark.parametrize(
    ("declared", "excluded"),
    [
        (Trait.NO_RETRY, {"X-DONE"}),
        (Trait.AGENT, {"X-PIC", "X-TELL", "X-DONE"}),
        (Trait.NO_DOWNLOAD, set()),
    ],
)
def test_declaration_excludes_the_invariants_that_do_not_apply(
    declared: Trait, excluded: set[str]
) -> None:
    judged = {each.id for each in judged_invariants([], frozenset({declared}))}

    assert set(IDS) - judged == excluded


def test_declaration_that_leaves_nothing_to_judge_is_rejected() -> None:
    with pytest.raises(click.UsageError, match="--no-retry leaves no selected invariant"):
        judged_invariants(["X-DONE"], frozenset({Trait.NO_RETRY}))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("45", 45)]
)
def test_duration_has_a_unit(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["0", "-1s", "1d", ""])
def test_invalid_duration_is_rejected(text: str) -> None:
    with pytest.raises(click.BadParameter, match="must be a duration such as 90s"):
        Duration().convert(text, None, None)
