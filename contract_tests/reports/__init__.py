"""A report in all its forms: JSON is the truth, the others are made from it."""

from pathlib import Path

import msgspec

from contract_tests.report import VERSION, Report
from contract_tests.reports.junit import junit
from contract_tests.reports.markdown import markdown
from contract_tests.reports.page import html

REPORT = "report.json"


class BadReport(Exception):
    """The folder holds no report that can be read."""


def write_reports(report: Report, directory: Path) -> None:
    """Write report.json, junit.xml, report.html and summary.md."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / REPORT).write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    (directory / "junit.xml").write_bytes(junit(report))
    (directory / "report.html").write_text(html(report), encoding="utf-8")
    (directory / "summary.md").write_text(markdown(report), encoding="utf-8")


def read_report(directory: Path) -> Report:
    """Raise BadReport."""
    path = directory / REPORT
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError) as error:
        raise BadReport(f"{path}: {error}") from error
    if report.version != VERSION:
        raise BadReport(f"{path}: is of version {report.version}, not {VERSION}")
    return report
