"""docs/testing-your-client.md shows the files of two examples, and they pass."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import mock_server
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing-your-client.md").read_text("utf-8")
SHOWN = dict(re.findall(r"`(\S+)`:\n\n```\w+\n(.*?)```\n", PAGE, re.DOTALL))
FILES = {
    path.name: path.read_text("utf-8")
    for folder in ("python", "node")
    for path in sorted((ROOT / "examples" / folder).glob("*.*"))
}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=10 * PATIENCE_S
    )


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    switches = ["-q", "-p", "no:cacheprovider", "-W", "error"]
    return run(folder, sys.executable, "-m", "pytest", *switches, *arguments)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a new folder with the files that the page shows."""
    for name, text in SHOWN.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_the_page_shows_both_examples() -> None:
    assert SHOWN == FILES


def test_the_tests_pass_with_a_server_of_their_own(project: Path) -> None:
    ended = run_pytest(project)

    assert "8 passed" in ended.stdout, ended.stdout + ended.stderr


def test_the_tests_pass_in_two_workers_on_one_shared_server(project: Path) -> None:
    with mock_server.running() as server:
        ended = run_pytest(
            project, "-n", "2", "-p", "no:schemathesis", "--apixo-mock-url", server.base_url
        )
        left = httpx.get(f"{server.base_url}/_mock/sandboxes", trust_env=False).json()

    assert "8 passed" in ended.stdout, ended.stdout + ended.stderr
    assert left == {"sandboxes": []}


def test_unittest_runs_its_file(project: Path) -> None:
    ended = run(project, sys.executable, "-W", "error", "-m", "unittest", "test_with_unittest")

    assert ended.returncode == 0, ended.stderr


def test_node_runs_its_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node to run the page's JavaScript (Debian: apt-get install nodejs)")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")

    ended = run(project, node, "--test", "painter.test.mjs")

    assert ended.returncode == 0, ended.stdout + ended.stderr
