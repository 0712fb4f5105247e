"""`contract-tests audit` as a process: verdicts, exit statuses and advice."""

from pathlib import Path
from typing import Any

from contract_tests.client.reports.files import read_audit
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.audit_command.clients import (
    ONCE,
    THEN_ASK,
    TWICE,
    audit,
    exit_and_verdict,
    verdict_of,
)


def test_correct_client_passes(client: Any) -> None:
    ended = audit(client(ONCE))

    assert exit_and_verdict(ended) == (0, "PASS")


def test_client_that_retries_a_400_fails_with_advice(client: Any, tmp_path: Path) -> None:
    ended = audit(client(TWICE), "--report", tmp_path / "report")
    report = read_audit(tmp_path / "report")

    assert exit_and_verdict(ended) == (1, "FAIL")
    assert "Do not retry 400" in ended.stdout
    assert report.summary.exit_status == 1
    events = {each.rule: each.event for each in report.cases[0].findings}
    assert events["C-LIM-005"] == 2


def test_summary_is_printed_although_the_report_cannot_be_written(
    client: Any, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    blocks = f"{ONCE}; import pathlib; at = pathlib.Path({str(report)!r}); at.rmdir(); at.touch()"

    ended = audit(client(blocks), "--report", report)

    assert verdict_of(ended.stdout) == "PASS"
    assert ended.returncode == 4
    assert f"Error: {report}: cannot write the report: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_client_without_requests_is_inconclusive(tmp_path: Path) -> None:
    ended = audit("true", "--report", tmp_path)
    (case,) = read_audit(tmp_path).cases

    assert ended.returncode == 3
    assert case.verdict is Verdict.INCONCLUSIVE
    assert case.reason.startswith("the client sent no request with this key")


def test_selected_rule_is_judged_in_all_its_cases(client: Any, tmp_path: Path) -> None:
    ended = audit(client(THEN_ASK), "--report", tmp_path / "report", select="C-LIM-005")
    report = read_audit(tmp_path / "report")

    assert ended.returncode == 0, ended.stdout
    assert [case.id for case in report.cases] == [
        "A-FAIL-003", "A-LIM-005", "A-LIM-006", "A-LIM-007", "A-LIM-011",
    ]  # fmt: skip
    assert {each.rule for case in report.cases for each in case.findings} == {"C-LIM-005"}


def test_warning_fails_only_with_strict(client: Any) -> None:
    gives_up = client(ONCE)
    mild = audit(gives_up, select="A-LIM-003")
    strict = audit(gives_up, "--strict", select="A-LIM-003")

    assert exit_and_verdict(mild) == (0, "WARN")
    assert exit_and_verdict(strict) == (1, "WARN")


def test_client_that_never_retries_is_skipped_if_that_is_declared(
    client: Any, tmp_path: Path
) -> None:
    reports = client(ONCE)
    ended = audit(reports, "--no-retry", "--report", tmp_path, select="C-LIM-003")

    assert exit_and_verdict(ended) == (0, "SKIP")
    assert "not tested: the client does not retry requests (--no-retry)" in ended.stdout
    assert ended.stdout.count("to test: Omit --no-retry if that is not so.") == 1
    assert read_audit(tmp_path).declared == ("--no-retry",)


def test_client_that_takes_an_empty_response_for_success_fails(client: Any) -> None:
    ended = audit(client("try: submit()\nexcept ValueError: pass"), select="A-PAY-005")

    assert exit_and_verdict(ended) == (1, "FAIL")
    assert "the client learned of no result, and exited with status 0" in ended.stdout


def test_client_that_crashes_on_a_429_fails(client: Any) -> None:
    crash = "answer = submit()[1]; rejections.clear(); print(answer['data']['taskId'])"
    ended = audit(client(crash), select="A-LIM-003")

    assert exit_and_verdict(ended) == (1, "FAIL")
    assert "the output does not say so, and shows a crash" in ended.stdout


def test_callback_cases_are_skipped_without_a_callback_port() -> None:
    ended = audit("true", select="A-CB-001")

    assert exit_and_verdict(ended) == (0, "SKIP")
    assert "has no {callback_port}" in ended.stdout
