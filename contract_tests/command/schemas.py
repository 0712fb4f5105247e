"""The JSON Schemas of report.json, as `fixtures/contract/*.schema.json` ship them."""

import sys

import msgspec

from contract_tests.client.reports.report import AuditReport
from contract_tests.server.reports.report import Report


def report_schema() -> bytes:
    return _schema("Report", Report)


def audit_schema() -> bytes:
    return _schema("AuditReport", AuditReport)


def _schema(title: str, of: type[msgspec.Struct]) -> bytes:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    schema |= msgspec.json.schema(of)
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted")) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(audit_schema() if sys.argv[1:] == ["audit"] else report_schema())
