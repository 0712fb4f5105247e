"""`benchmarks/check.py` compares each figure with its target."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from benchmarks.check import Verdict, judgements, main
from benchmarks.figures import FIGURES
from benchmarks.results import Results, write_json
from tests.benchmarks.samples import results

ROOT = Path(__file__).parents[2]
JUDGED = [name for name, figure in FIGURES.items() if figure.target is not None]


def check(path: Path) -> Result:
    return CliRunner().invoke(main, [str(path)])


def check_results(measured: Results, folder: Path) -> Result:
    write_json(folder / "bench.json", measured)
    return check(folder / "bench.json")


def verdict(name: str, median: float) -> Verdict:
    judged = {each.figure.name: each for each in judgements(results(**{name: median}).figures)}
    return judged[name].verdict


def test_figures_that_reach_exactly_their_targets_are_met(tmp_path: Path) -> None:
    checked = check_results(results(), tmp_path)

    assert checked.exit_code == 0
    assert [line.split()[0] for line in checked.stdout.splitlines()[1:]] == JUDGED


@pytest.mark.parametrize("name", JUDGED)
def test_figure_on_the_wrong_side_of_its_target_is_missed(name: str, tmp_path: Path) -> None:
    figure = FIGURES[name]
    assert figure.target is not None
    better, worse = (1.01, 0.99) if figure.is_high_good else (0.99, 1.01)

    assert verdict(name, figure.target * better) is not Verdict.MISSED
    checked = check_results(results(**{name: figure.target * worse}), tmp_path)
    assert checked.exit_code == 1
    assert [line.split()[0] for line in checked.stdout.splitlines() if "MISSED" in line] == [name]


def test_figure_that_reaches_its_goal_says_so() -> None:
    assert verdict("status_rate_ratio", 1.25) is Verdict.GOAL
    assert verdict("status_rate_ratio", 1.24) is Verdict.MET
    assert verdict("task_bytes", 500) is Verdict.GOAL
    assert verdict("task_bytes", 501) is Verdict.MET


def test_figure_that_was_not_measured_is_not_met(tmp_path: Path) -> None:
    complete = results()
    figures = {name: each for name, each in complete.figures.items() if name != "start_s"}

    checked = check_results(msgspec.structs.replace(complete, figures=figures), tmp_path)

    assert checked.exit_code == 1
    assert "start_s" in checked.stdout
    assert "NOT MEASURED" in checked.stdout


def test_median_that_was_not_stable_is_marked(tmp_path: Path) -> None:
    complete = results()
    unstable = msgspec.structs.replace(complete.figures["advance_ms"], is_settled=False)
    figures = complete.figures | {"advance_ms": unstable}

    checked = check_results(msgspec.structs.replace(complete, figures=figures), tmp_path)

    assert checked.exit_code == 0
    assert "met (not stable)" in checked.stdout


def test_server_that_could_not_use_its_core_is_a_warning(tmp_path: Path) -> None:
    limited = results(status_core_share=0.95, bare_submit_core_share=0.62)

    assert "ran only 62%" in check_results(limited, tmp_path).stderr
    assert check_results(results(submit_core_share=0.9), tmp_path).stderr == ""


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 2}', '{"version": 1}'])
def test_invalid_file_is_rejected_with_its_path(content: str, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(content, "utf-8")

    checked = check(path)

    assert checked.exit_code == 2
    assert str(path) in checked.stderr
    assert "make bench" in checked.stderr


def test_missing_file_is_rejected(tmp_path: Path) -> None:
    checked = check(tmp_path / "none.json")

    assert checked.exit_code == 2
    assert "No such file" in checked.stderr


@pytest.mark.parametrize("program", [["-m", "benchmarks.check"], ["benchmarks/check.py"]])
def test_check_runs_as_module_and_as_file(program: list[str], tmp_path: Path) -> None:
    write_json(tmp_path / "bench.json", results(start_s=9.0))

    ended = subprocess.run(
        [sys.executable, *program, str(tmp_path / "bench.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1, ended.stderr
    assert "9.00 s" in ended.stdout
