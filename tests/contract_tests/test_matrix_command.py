"""`contract-tests matrix`: several audits side by side."""

from pathlib import Path

import pytest

from contract_tests.client.reports.files import write_audit
from contract_tests.server.reports.files import write_reports
from tests.contract_tests import fakes
from tests.contract_tests.commands import contract_tests
from tests.contract_tests.evidence import accepts_400, case_of, report_of, retries_400


@pytest.fixture
def good(tmp_path: Path) -> Path:
    cases = (case_of(accepts_400()), case_of(accepts_400(), "A-LIM-006", title="refused with 401"))
    write_audit(report_of(*cases, client="good {prompt}"), tmp_path / "good")
    return tmp_path / "good"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    report = report_of(case_of(retries_400()), client="bad \x1b[2J{prompt}", strict=True)
    write_audit(report, tmp_path / "bad")
    return tmp_path / "bad"


def test_prints_a_row_a_case_and_a_column_a_client(good: Path, bad: Path) -> None:
    ended = contract_tests("matrix", good, bad, is_watched=True)

    assert ended.returncode == 0, ended.stderr
    assert [line.split() for line in ended.stdout.splitlines()] == [
        ["1:", "good", "{prompt}", "(outcome", "SKIP,", "manners", "PASS)"],
        ["2:", "bad", "\\x1b[2J{prompt}", "(outcome", "SKIP,", "manners", "FAIL)"],
        [],
        ["case", "1", "2"],
        ["A-LIM-005", "PASS", "FAIL", *["The", "submit", "is", "rejected", "with", "400"]],
        ["A-LIM-006", "PASS", "-", "refused", "with", "401"],
    ]


def test_tells_audits_of_one_client_apart(good: Path) -> None:
    ended = contract_tests("matrix", good, good, is_watched=True)

    assert ended.stdout.splitlines()[0].startswith("1: good {prompt} (1) ")
    assert ended.stdout.splitlines()[1].startswith("2: good {prompt} (2) ")


def test_writes_the_page_and_the_summary_of_all(good: Path, bad: Path, tmp_path: Path) -> None:
    ended = contract_tests("matrix", good, bad, "--report", tmp_path / "new" / "folder")
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "new/folder").iterdir()}

    assert ended.returncode == 0
    assert set(written) == {"report.html", "summary.md"}
    assert all("good {prompt}" in text and "bad " in text for text in written.values())


def test_a_folder_that_holds_no_audit_is_refused_with_its_name(good: Path, tmp_path: Path) -> None:
    contract, empty, broken = tmp_path / "contract", tmp_path / "empty", tmp_path / "broken"
    write_reports(fakes.report_of(), contract)
    empty.mkdir()
    broken.mkdir()
    (broken / "report.json").write_bytes(b'{"kind": "audit", "cases"')

    for folder, told in (
        (contract, "not a report of contract-tests audit"),
        (empty, f"file not found; create it with contract-tests audit --report {empty}"),
        (broken, "Input data was truncated"),
    ):
        ended = contract_tests("matrix", good, folder, is_watched=True)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == f"Error: {folder / 'report.json'}: {told}\n"


def test_wrong_usage_says_what_is_wrong(good: Path) -> None:
    for words, told in (
        ((), "missing argument"),
        ((good, "no-such-folder"), "no-such-folder"),
        ((good, "--report", good), "contains one of the audits; choose another directory"),
        ((good, "--report", "README.md/folder"), "README.md/folder"),
    ):
        ended = contract_tests("matrix", *words, is_watched=True)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert told in ended.stderr
