"""A full disk: a clear message, the documented exit status, and no incomplete file.

A limit of the size of files does to a command what a full disk does.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mock_server.cli.commands import COMMAND, Started, environment, started
from tests.patience import PATIENCE_S

BLOCKS = 4  # Of 512 bytes, or of 1024 in some shells.
TOO_LARGE = "File too large"
RUN = ("run", "--select", "S-SUB-001")
AUDIT = ("audit", "--suite", "quick", "--select", "A-REQ-001", "--exec")


@pytest.fixture(scope="module")
def mock() -> Iterator[Started]:
    with started("--log-level", "error", "--generation-time", "0") as server:
        yield server


def limited(program: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that cannot write more than a few KB into a file.

    Its coverage is not measured, because that needs a larger file.
    """
    inherited = environment(variables).items()
    return subprocess.run(
        [
            *("sh", "-c", f'ulimit -f {BLOCKS}; exec "$@"', "sh"),
            COMMAND.with_name(program),
            *arguments,
        ],
        capture_output=True,
        text=True,
        env={name: value for name, value in inherited if not name.startswith("COVERAGE")},
        timeout=4 * PATIENCE_S,
        check=False,
    )


def assert_complete(folder: Path) -> None:
    """Check that every file is what its name promises, and that nothing else is there."""
    for file in folder.rglob("*"):
        if file.is_dir():
            continue
        content = file.read_text()
        match file.suffix:
            case ".json":
                json.loads(content)
            case ".xml":
                assert content.rstrip().endswith("</testsuites>")
            case ".html":
                assert content.rstrip().endswith("</html>")
            case other:
                assert other == ".md"


def assert_cannot_write(done: "subprocess.CompletedProcess[str]", folder: Path, what: str) -> None:
    last = f"Error: {folder}: cannot write {what}: {TOO_LARGE}"
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stderr.splitlines()[-1] == last
    assert_complete(folder)


@pytest.mark.parametrize("switch", ["--report", "--record"])
def test_run_writes_whole_files_or_none(mock: Started, tmp_path: Path, switch: str) -> None:
    folder = tmp_path / "out"
    done = limited("contract-tests", *RUN, "--base-url", mock.url, switch, str(folder))

    what = {"--report": "the report", "--record": "the recording"}[switch]
    assert_cannot_write(done, folder, what)


def test_audit_writes_whole_files_or_none(mock: Started, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    done = limited(
        "contract-tests", *AUDIT, "true", "--base-url", mock.url, "--report", str(folder)
    )

    assert_cannot_write(done, folder, "the report")


def test_report_stays_until_another_one_can_be_written(mock: Started, tmp_path: Path) -> None:
    tmp_path.joinpath("report.json").write_text("{}")
    limited("contract-tests", *RUN, "--base-url", mock.url, "--report", str(tmp_path))

    assert tmp_path.joinpath("report.json").read_text() == "{}"


def test_client_leaves_no_part_of_a_picture(mock: Started, tmp_path: Path) -> None:
    done = limited(
        "client-reference",
        *("generate", "a fox", "--poll-after", "0.1", "-o", str(tmp_path / "out")),
        APIXO_BASE_URL=mock.url,
        APIXO_API_KEY="sk-key",
    )

    assert done.returncode == 3, done.stdout + done.stderr
    assert TOO_LARGE in done.stderr
    assert "Traceback" not in done.stderr
    assert [*(tmp_path / "out").iterdir()] == []


def test_server_does_not_start_if_its_store_cannot_be_created(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    done = limited("mock-server", "--port", "0", "--store", f"sqlite:{file}")

    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        rf"Error: --store: {file} cannot be used: .*; check the disk and its free space\n",
        done.stderr,
    )
