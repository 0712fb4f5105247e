"""`pytest --pyargs contract_tests` as a process."""

import subprocess
import sys
from pathlib import Path

import pytest

from contract_tests.server.catalogue import all_cases, select_cases
from tests.contract_tests.command_targets import TAKES_THREE, TRUE
from tests.contract_tests.commands import environment
from tests.contract_tests.mutants.harness import serving


def test_runs_the_cases_from_any_folder(tmp_path: Path) -> None:
    with serving(TRUE) as url:
        ended = run_pytest(
            tmp_path,
            "--apixo-base-url",
            url,
            "-k",
            "S-SUB-01 or S-AUTH-00",
            loads_all_plugins=True,
        )

    assert ended.returncode == 0, ended.stdout
    assert "S-SUB-011] PASSED" in ended.stdout


def test_fails_where_the_contract_is_broken(tmp_path: Path) -> None:
    with serving(TAKES_THREE) as url:
        ended = run_pytest(tmp_path, "--apixo-base-url", url, "-k", "S-SUB-01")

    assert ended.returncode == 1
    assert "SUB-11: input.num_images is 1 (default)" in ended.stdout
    assert "expected  HTTP 400" in ended.stdout


def test_starts_a_mock_when_no_server_is_named(tmp_path: Path) -> None:
    ended = run_pytest(tmp_path, "-k", "S-SUB-011", "--apixo-seed", "1")

    assert ended.returncode == 0, ended.stdout


def test_leaves_out_what_is_not_of_the_profile(tmp_path: Path) -> None:
    ended = run_pytest(tmp_path, "-k", "S-SUB-0", "--apixo-suite", "smoke")

    cases = select_cases(all_cases(), select=("S-SUB-0*",))
    smoke = sum(case.is_smoke for case in cases)
    assert ended.returncode == 0, ended.stdout
    assert f" {smoke} passed, {len(cases) - smoke} skipped, " in ended.stdout


@pytest.mark.parametrize(
    ("words", "lacking"),
    [
        ((), "--live"),
        (("--apixo-live", "--apixo-budget", "1"), "APIXO_API_KEY"),
        (("--apixo-budget", "infinity"), "--apixo-budget"),
    ],
)
def test_refuses_a_live_run_without_all_three(
    tmp_path: Path, words: tuple[str, ...], lacking: str
) -> None:
    ended = run_pytest(tmp_path, "--apixo-base-url", "https://api.example.test", *words)

    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert lacking in ended.stdout + ended.stderr
    assert "PASSED" not in ended.stdout


def run_pytest(
    folder: Path, *words: str, loads_all_plugins: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the cases with pytest; loading no other plugins saves most of the time."""
    command = [sys.executable, "-m", "pytest", "-v", "--pyargs", "contract_tests", *words]
    alone = {} if loads_all_plugins else {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "contract_tests.pytest_options"
    }  # fmt: skip
    return subprocess.run(
        command, env=environment(alone), cwd=folder, capture_output=True, text=True, check=False
    )
