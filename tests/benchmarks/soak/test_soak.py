"""The command runs a soak test of seconds on each store, reports, and exits as the checks say."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.soak.__main__ import main
from benchmarks.soak.callback_kinds import KINDS
from benchmarks.soak.checks import Check, Verdict
from benchmarks.soak.observation import Observation, ServerEnded
from benchmarks.soak.report import SoakReport, report_text
from benchmarks.soak.run import SoakSettings, run_soak
from tests.redis_server import RedisServer

# A hanging receiver takes many seconds; the others take none when clocks run fast.
SHORT_KINDS = ",".join(name for name in KINDS if name != "hanging")
_DATABASE = 9
CHECKS = ["memory", "descriptors", "asyncio tasks", "callbacks", "responses", "log"]


@pytest.fixture(autouse=True)
def restored_signal() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'soak.db'}"
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        asyncio.run(server.flush(_DATABASE))
        return f"{server.address}?db={_DATABASE}"
    return "memory"


def test_a_soak_test_of_seconds_passes_on_each_store(store: str, tmp_path: Path) -> None:
    output = tmp_path / "soak.json"
    load = ["--minutes", "0.05", "--keys", "11", "--callbacks", SHORT_KINDS]

    ended = CliRunner().invoke(main, [*load, "--store", store, "--output", str(output)])

    report = json.loads(output.read_bytes()) if output.exists() else {}
    assert ended.exit_code == 0, ended.output
    assert [check["name"] for check in report["checks"]] == CHECKS
    assert report["callbacks"]
    assert report["samples"]


def test_each_check_finds_its_bug() -> None:
    settings = SoakSettings(
        minutes=0.05,
        rate=100,
        keys=3,
        seed=1,
        store="memory",
        workers=1,
        kinds=[KINDS["accepted"], KINDS["dropped"]],
        patience_s=1,
        server="tests.benchmarks.soak.broken_server",
    )

    report = run_soak(settings, lambda _: None)

    verdicts = {check.name: check.verdict for check in report.checks}
    assert verdicts == dict.fromkeys(CHECKS, Verdict.FAIL) | {"memory": Verdict.NOT_JUDGED}


def test_unknown_kind_of_callbacks_is_rejected(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["--callbacks", "none", "--output", str(tmp_path / "x")])

    assert ended.exit_code == 2
    assert "--callbacks: must be some of accepted," in ended.output


def report_of(*verdicts: Verdict) -> SoakReport:
    return SoakReport(
        date="2026-11-28T09:30:00Z",
        commit=None,
        command=["mock-server"],
        minutes=10,
        keys=300,
        seed=1,
        requests={},
        statuses={},
        callbacks={},
        checks=[
            Check(name=f"check {verdict}", verdict=verdict, detail="x", problems=["a problem"])
            for verdict in verdicts
        ],
        samples=[],
    )


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([Verdict.PASS, Verdict.PASS], 0),
        ([Verdict.PASS, Verdict.NOT_JUDGED], 0),
        ([Verdict.FAIL, Verdict.PASS], 1),
    ],
)
def test_exit_status_is_1_if_a_check_fails(verdicts: list[Verdict], status: int) -> None:
    assert report_of(*verdicts).exit_status == status


def test_text_of_a_report_has_a_line_for_each_check_and_problem() -> None:
    assert report_text(report_of(Verdict.PASS, Verdict.FAIL)).splitlines() == [
        "PASS  check PASS  x",
        "  a problem",
        "FAIL  check FAIL  x",
        "  a problem",
    ]


def test_server_that_ends_during_the_load_is_a_failure(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        with pytest.raises(ServerEnded, match="ended during the soak test") as failed:
            Observation(ended.pid, tmp_path / "held").sample(0)

    assert failed.value.exit_code == 1
