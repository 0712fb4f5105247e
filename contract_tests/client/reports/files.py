"""Writes the report of an audit in all formats, and reads it back from JSON."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from contract_tests.client.reports.junit import junit
from contract_tests.client.reports.markdown import markdown
from contract_tests.client.reports.page import html
from contract_tests.client.reports.report import KIND, VERSION, AuditReport
from contract_tests.contract.errors import ReportError, reason_of, written
from contract_tests.contract.report_parts import REPORT, json_of
from contract_tests.contract.whole_files import write_whole


def write_audit(report: AuditReport, directory: Path) -> None:
    """Write report.json, junit.xml, report.html and summary.md. Raise OutputError."""
    with written(directory, "the report"):
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(directory / REPORT, encode_audit(report, "json"))
        write_whole(directory / "junit.xml", encode_audit(report, "junit"))
    write_matrix([report], directory)


def write_matrix(reports: Sequence[AuditReport], directory: Path) -> None:
    """Write report.html and summary.md that compare several audits. Raise OutputError."""
    with written(directory, "the report"):
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(directory / "report.html", html(reports).encode())
        write_whole(directory / "summary.md", markdown(reports).encode())


def encode_audit(report: AuditReport, file_format: str) -> bytes:
    """Return a report as `json`, `junit` or `html`."""
    if file_format == "junit":
        return junit(report)
    if file_format == "html":
        return html([report]).encode()
    return json_of(report)


def read_audit(directory: Path) -> AuditReport:
    """Return the report in a folder that an audit wrote. Raise ReportError if there is none."""
    path = directory / REPORT
    try:
        content = path.read_bytes()
        kind = msgspec.json.decode(content, type=_Kind).kind
        if kind != KIND:
            raise ReportError(f"{path}: not a report of contract-tests audit")
        report = msgspec.json.decode(content, type=AuditReport)
    except FileNotFoundError as error:
        command = f"contract-tests audit --report {directory}"
        raise ReportError(f"{path}: file not found; create it with {command}") from error
    except (OSError, UnicodeDecodeError, RecursionError, msgspec.DecodeError) as error:
        raise ReportError(f"{path}: {reason_of(error)}") from error
    if report.version != VERSION:
        raise ReportError(f"{path}: unsupported version {report.version} (supported: {VERSION})")
    return report


class _Kind(msgspec.Struct, frozen=True):
    kind: str = ""
