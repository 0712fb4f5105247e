"""`contract-tests audit --watch` as a process: clients that run elsewhere use its keys."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_tests.client.reports.files import read_audit
from tests.contract_tests.audit_command.clients import BODY, SUBMIT, verdict_of
from tests.contract_tests.commands import ROOT, environment
from tests.patience import PATIENCE_S


def test_watch_ends_after_the_idle_timeout(tmp_path: Path) -> None:
    words = ("--idle-timeout", "0.3", "--manifest", str(tmp_path / "keys.json"))
    with watching(*words) as (process, printed):
        kept = json.loads((tmp_path / "keys.json").read_text())
        refuse(kept)
        rest = process.communicate(timeout=PATIENCE_S)[0]

    assert kept == printed
    assert [each["id"] for each in kept["cases"]] == ["A-LIM-005"]
    assert (process.returncode, verdict_of(rest)) == (0, "PASS")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_watch_ends_with_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with watching("--report", str(tmp_path)) as (process, manifest):
        refuse(manifest, times=2)
        process.send_signal(number)
        rest = process.communicate(timeout=PATIENCE_S)[0]

    assert (process.returncode, verdict_of(rest)) == (1, "FAIL")
    assert read_audit(tmp_path).client == "clients that used the keys"


def test_ctrl_c_does_not_reach_the_mock() -> None:
    with watching() as (process, manifest):
        refuse(manifest)
        groups = {os.getpgid(pid) for pid in children(process.pid)}
        os.killpg(process.pid, signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, verdict_of(rest)) == (0, "PASS"), errors
    assert groups
    assert process.pid not in groups  # else the mock ends before its journal is read


def test_watch_without_requests_is_inconclusive() -> None:
    with watching() as (process, _):
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=PATIENCE_S)[0]

    assert (process.returncode, verdict_of(rest)) == (3, "INCONCLUSIVE")


def test_cases_with_unused_keys_are_skipped() -> None:
    with watching("--select", "A-LIM-006") as (process, manifest):
        refuse(manifest)
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=PATIENCE_S)[0]

    assert process.returncode == 0
    assert "SKIP         A-LIM-006" in rest


@contextmanager
def watching(*words: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Start a watching audit in a process group of its own, and give its manifest."""
    command = [sys.executable, "-m", "contract_tests", "audit", "--watch", "--select", "A-LIM-005"]
    with subprocess.Popen(
        [*command, *words],
        env=environment(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()  # it judges, and ends its mock


def refuse(manifest: Any, times: int = 1) -> None:
    """Send the submit of the first case, which the mock rejects."""
    headers = {"Authorization": f"Bearer {manifest['cases'][0]['api_key']}"}
    for _ in range(times):
        answer = httpx.post(
            manifest["base_url"] + SUBMIT, headers=headers, json=BODY, trust_env=False
        )
        assert answer.status_code == 400


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()]
