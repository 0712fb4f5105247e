"""The JSON Schema of report.json, as `fixtures/contract/report.schema.json` ships it."""

import sys

import msgspec

from contract_tests.report import Report


def report_schema() -> bytes:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Report"}
    schema |= msgspec.json.schema(Report)
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted")) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(report_schema())
