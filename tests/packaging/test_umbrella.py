"""`apixo-testkit` offers every command of the project under one name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from apixo_testkit.commands import command
from client_reference.command.cli import command as client_command
from contract_tests.command import cli as kit_command
from tests.packaging.test_imports import loaded_by
from tests.packaging.without_extra import run_without_hypothesis

NAMES = sorted(command().commands)


def apixo_testkit(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process without an API key."""
    inherited = {name: value for name, value in os.environ.items() if name[:5] != "APIXO"}
    return subprocess.run(
        [sys.executable, "-m", "apixo_testkit", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**inherited, **environment},
    )


def test_every_command_of_the_project_is_offered() -> None:
    kit = {"contract" if name == "run" else name for name in kit_command.commands}

    assert set(NAMES) == {"serve", *client_command().commands, *kit}


@pytest.mark.parametrize("name", NAMES)
def test_usage_names_the_command_that_the_user_typed(name: str) -> None:
    shown = CliRunner().invoke(command(), [name, "--help"], prog_name="apixo-testkit")

    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: apixo-testkit {name} [")


def test_help_lists_all_commands_and_imports_none() -> None:
    shown = CliRunner().invoke(command(), ["-h"], prog_name="apixo-testkit")
    listed = {line.split()[0] for line in shown.output.splitlines() if line[:2] == "  "}

    assert listed >= set(NAMES)
    loaded = loaded_by(
        "import click, apixo_testkit.__main__ as umbrella\n"
        "umbrella.command().get_help(click.Context(umbrella.command()))"
    )
    assert loaded & {"mock_server", "client_reference", "contract_tests"} == set()


def test_an_unknown_command_is_rejected_with_the_nearest_one() -> None:
    done = apixo_testkit("genarate", "a fox")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: no such command 'genarate'. Did you mean")
    assert "'generate'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve", "--port", "http"], "port"),
        (["balance"], "APIXO_API_KEY is not set"),
        (["contract", "--select", "X-1"], "apixo-testkit list shows all cases"),
    ],
    ids=["serve", "balance", "contract"],
)
def test_errors_name_the_program_that_the_user_called(arguments: list[str], message: str) -> None:
    done = apixo_testkit(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not {"mock-server", "client-reference", "contract-tests"} & set(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_kit_without_its_extra_is_one_line(tmp_path: Path) -> None:
    done = run_without_hypothesis("apixo_testkit", ["contract"], tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        "Error: hypothesis is not installed; run: python -m pip install 'apixo-testkit[contract]'\n"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [("apixo-testkit gen", "plain,generate"), ("apixo-testkit serve --po", "plain,--port")],
)
def test_bash_completes_commands_and_switches(line: str, expected: str) -> None:
    words = len(line.split()) - 1

    done = apixo_testkit(
        _APIXO_TESTKIT_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(words)
    )

    assert done.stdout.splitlines() == [expected]


def test_serve_is_the_mock_server() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "apixo_testkit", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]

            done = apixo_testkit("balance", APIXO_API_KEY="my-key", APIXO_BASE_URL=address)
        finally:
            process.terminate()

    assert (done.returncode, done.stdout) == (0, "100000.0\n")
    assert process.returncode == 0
