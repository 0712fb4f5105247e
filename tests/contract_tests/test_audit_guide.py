"""docs/auditing-a-client.md: every block runs as it is printed."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from contract_tests.client.reports.files import read_audit
from tests.contract_tests.commands import ROOT, environment, until
from tests.pages.walk import SLEEP_IN_SANDBOX
from tests.patience import PATIENCE_S

PAGE = (ROOT / "docs" / "auditing-a-client.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
MANIFEST_PORT = "8080"


def block(language: str, containing: str) -> str:
    (found,) = [text for name, text in BLOCKS if name == language and containing in text]
    return str(found)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the files of both pages; pauses of the client move its sandbox."""
    painter = ROOT / "examples" / "python" / "painter.py"
    (tmp_path / "painter.py").write_text(painter.read_text("utf-8"), "utf-8")
    (tmp_path / "my_client.py").write_text(block("python", "sys.argv"), "utf-8")
    (tmp_path / "test_my_client.py").write_text(block("python", "apixo_mock.audit()"), "utf-8")
    (tmp_path / "sitecustomize.py").write_text(SLEEP_IN_SANDBOX, "utf-8")
    return tmp_path


def started(command: list[str], folder: Path, **more: str) -> "subprocess.Popen[str]":
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment({"PATH": path, **more}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_every_block_of_the_page_is_tested() -> None:
    assert [name for name, _ in BLOCKS] == [
        "python", "bash", "bash", "bash", "json", "python"
    ]  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shell_blocks_are_one_command_without_comments(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell} to split the commands into words (Debian: apt-get install zsh)")
    for language, text in (("bash", "--suite"), ("bash", "--explore"), ("bash", "--watch")):
        script = f"""contract-tests() {{ printf '%s\\n' "$@"; }}\n{block(language, text)}"""
        words = subprocess.run([shell, "-fc", script], capture_output=True, text=True, check=True)

        assert ["contract-tests", *words.stdout.splitlines()] == shlex.split(block(language, text))
        assert "#" not in words.stdout


def test_first_command_audits_the_client_of_the_page(project: Path) -> None:
    path = os.pathsep.join([str(project), str(ROOT)])
    command = ["bash", "-c", block("bash", "--suite")]
    process = started(command, project, PYTHONPATH=path)
    output, _ = process.communicate(timeout=10 * PATIENCE_S)
    cases = {case.id: case for case in read_audit(project / "audit").cases}

    assert process.returncode == 1, output
    assert cases["A-REQ-001"].verdict == "PASS", cases["A-REQ-001"]
    assert cases["A-LIM-001"].verdict == "WARN", cases["A-LIM-001"]


def test_watch_writes_the_keys_that_the_page_shows(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = shlex.split(block("bash", "--watch").replace(MANIFEST_PORT, port))
    process = started(command, project)
    manifest = project / "keys.json"
    until(manifest.exists, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)

    written = json.loads(manifest.read_bytes())
    shown = json.loads(block("json", "base_url"))
    assert written.keys() == shown.keys()
    assert {frozenset(case) for case in written["cases"]} == {frozenset(shown["cases"][0])}


def test_test_of_the_page_passes_with_the_client_of_the_other_page(project: Path) -> None:
    words = ["-q", "-p", "no:cacheprovider", "-W", "error", "test_my_client.py"]
    process = started([sys.executable, "-m", "pytest", *words], project)
    output, _ = process.communicate(timeout=10 * PATIENCE_S)

    assert "1 passed" in output, output
