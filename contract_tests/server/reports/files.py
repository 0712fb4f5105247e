"""Writes a report in all formats and reads report.json."""

from pathlib import Path

import msgspec

from contract_tests.contract.errors import ReportError, reason_of, written
from contract_tests.contract.report_parts import REPORT, json_of
from contract_tests.contract.whole_files import write_whole
from contract_tests.server.reports.junit import junit
from contract_tests.server.reports.markdown import markdown
from contract_tests.server.reports.page import html
from contract_tests.server.reports.report import VERSION, Report


def write_reports(report: Report, directory: Path) -> None:
    """Write report.json, junit.xml, report.html and summary.md. Raise OutputError."""
    with written(directory, "the report"):
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(directory / REPORT, json_of(report))
        write_whole(directory / "junit.xml", junit(report))
        write_whole(directory / "report.html", html(report).encode())
        write_whole(directory / "summary.md", markdown(report).encode())


def read_report(directory: Path) -> Report:
    """Return the report in this directory. Raise ReportError."""
    path = directory / REPORT
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError) as error:
        raise ReportError(f"{path}: {reason_of(error)}") from error
    if report.version != VERSION:
        raise ReportError(f"{path}: version {report.version} is not supported; must be {VERSION}")
    return report
