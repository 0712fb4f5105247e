"""Without the extra `contract`, commands say in one line what to install."""

from pathlib import Path

import pytest

from tests.packaging.without_extra import run_without_hypothesis

INSTALL = "hypothesis is not installed; run: python -m pip install 'apixo-testkit[contract]'"
PLAIN = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:schemathesis"]


@pytest.mark.parametrize("arguments", [["run"], ["audit", "--watch"], ["list"], []])
def test_the_kit_names_the_extra_in_one_line(arguments: list[str], tmp_path: Path) -> None:
    done = run_without_hypothesis("contract_tests", arguments, tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Error: {INSTALL}\n"


def test_pytest_of_the_kit_names_the_extra(tmp_path: Path) -> None:
    done = run_without_hypothesis("pytest", [*PLAIN, "--pyargs", "contract_tests"], tmp_path)

    assert done.returncode == 2
    assert f"\ncontract_tests: {INSTALL}\n" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_suite_of_a_user_runs_with_the_plugins_and_without_hypothesis(tmp_path: Path) -> None:
    test = "def test_audit(apixo_mock): assert apixo_mock.audit()['rules']"
    (tmp_path / "test_mine.py").write_text(test, encoding="utf-8")

    done = run_without_hypothesis("pytest", PLAIN, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
