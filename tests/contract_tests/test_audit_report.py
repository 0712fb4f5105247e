"""The report of an audit as text, JSON, XML and Markdown: nothing that a client does breaks it."""

import json
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from contract_tests.client.evidence import Evidence
from contract_tests.client.reports.files import read_audit, write_audit
from contract_tests.client.reports.junit import junit
from contract_tests.client.reports.markdown import markdown
from contract_tests.client.reports.report import AuditReport
from contract_tests.command.audit_output import case_line, summary_entries
from contract_tests.command.schemas import audit_schema
from contract_tests.contract.errors import ReportError
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.audit_reports import every_verdict, report_with
from tests.contract_tests.evidence import (
    accepts_400,
    case_by_all_rules,
    case_of,
    exchange,
    report_of,
)
from tests.contract_tests.evidence_strategies import HOSTILE, evidence, texts
from tests.properties import examples

SCHEMA = Path(__file__).parents[2] / "fixtures" / "contract" / "audit.schema.json"


def read_back(report: AuditReport) -> AuditReport:
    with tempfile.TemporaryDirectory() as name:
        write_audit(report, Path(name))
        assert len(list(Path(name).iterdir())) == 4
        return read_audit(Path(name))


class TestJson:
    def test_shipped_schema_is_up_to_date(self) -> None:
        assert SCHEMA.read_bytes() == audit_schema(), "run: make docs"

    def test_shipped_schema_is_a_json_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_bytes()))

    @pytest.mark.parametrize("report", [every_verdict(), report_of(), report_with(HOSTILE)])
    def test_report_matches_the_schema(self, report: AuditReport) -> None:
        jsonschema.validate(
            json.loads(msgspec.json.encode(report)), json.loads(SCHEMA.read_bytes())
        )

    @pytest.mark.parametrize("member", ["cases", "rules", "clauses", "summary", "client"])
    def test_report_without_a_member_violates_the_schema(self, member: str) -> None:
        report = json.loads(msgspec.json.encode(every_verdict()))
        del report[member]

        with pytest.raises(jsonschema.ValidationError, match=member):
            jsonschema.validate(report, json.loads(SCHEMA.read_bytes()))

    def test_sample_report_has_a_case_of_each_verdict(self) -> None:
        assert [case.verdict for case in every_verdict().cases] == list(Verdict)

    @given(
        st.binary(max_size=60)
        | st.sampled_from(
            [b"{}", b'{"kind": "audit"}', b'"\xff"', b'{"kind":"audit","a":' + b"[" * 100_000]
        )
    )
    def test_error_about_a_damaged_report_names_the_file(self, content: bytes) -> None:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "report.json").write_bytes(content)
            with pytest.raises(ReportError, match=r"report\.json: "):
                read_audit(Path(name))

    def test_report_of_another_version_is_rejected(self, tmp_path: Path) -> None:
        write_audit(msgspec.structs.replace(every_verdict(), version=9), tmp_path)

        with pytest.raises(ReportError, match="unsupported version 9"):
            read_audit(tmp_path)


@examples(60)
@example(
    Evidence(exchanges=(exchange(1, 0, body='{"input": {"mode": [], "\\ud800": 1}}'),)), "\udcff"
)
@given(evidence, texts)
def test_any_evidence_can_be_written_in_all_formats_and_read_back(
    evidence: Evidence, client: str
) -> None:
    report = report_of(case_by_all_rules(evidence), client=client)

    assert read_back(report) == report


class TestJunit:
    @given(texts)
    def test_cases_and_clauses_are_listed_for_any_text(self, text: str) -> None:
        report = report_with(text)
        cases = list(ET.fromstring(junit(report)).iter("testcase"))
        clauses = [
            [each.get("value") for each in case.iter("property") if each.get("name") == "clause"]
            for case in cases
        ]

        assert [case.get("name") for case in cases][:1] == ["A-REQ-001"]
        assert clauses == [list(case.clauses) for case in report.cases]

    @pytest.mark.parametrize(
        ("strict", "failures", "warned"), [(False, "1", "system-out"), (True, "2", "failure")]
    )
    def test_counts_match_the_verdicts(self, *, strict: bool, failures: str, warned: str) -> None:
        root = ET.fromstring(junit(every_verdict(strict=strict)))
        (suite,) = root.iter("testsuite")
        ends = [
            [each.tag for each in case if each.tag != "properties"]
            for case in root.iter("testcase")
        ]

        counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counts == {"tests": "6", "failures": failures, "errors": "2", "skipped": "1"}
        assert ends == [["failure"], ["error"], ["error"], [warned], [], ["skipped"]]

    def test_failure_contains_the_advice(self) -> None:
        (failure,) = ET.fromstring(junit(every_verdict())).iter("failure")

        assert "Do not retry 400, 401, 402, 403 or 404" in str(failure.text)


class TestMarkdown:
    @example("a lone \ud800 out of JSON")
    @given(texts)
    def test_no_text_breaks_a_table(self, text: str) -> None:
        harmless, tokens = (
            parsed([report_with("a fox"), report_with("a fox")]),
            parsed([report_with(text), report_with(text)]),
        )

        assert count(tokens, "heading_open") == count(harmless, "heading_open")
        rows = count(tokens, "tr_open")
        cells = count(tokens, "td_open") + count(tokens, "th_open")
        assert rows >= 2 * 2
        assert cells == 3 * rows
        assert not any(token.type in {"html_block", "code_block", "fence"} for token in tokens)
        inline = {child.type for token in tokens for child in token.children or ()}
        assert inline <= {"text", "text_special", "entity", "softbreak"}

    def test_failed_rules_come_first_with_advice(self) -> None:
        page = markdown([every_verdict()])

        assert "| C-LIM-005 " in page.partition("## WARN")[0]
        assert "Do not retry 400, 401, 402, 403 or 404" in page

    def test_several_audits_begin_with_a_comparison(self) -> None:
        page = markdown([every_verdict(), report_of(case_of(accepts_400()), client="other")])
        first = page.partition("\n# Audit of python")[0].splitlines()

        assert first[0] == "# Audit of 2 clients"
        assert "| A-LIM-005 The submit is rejected with 400 | - | PASS |" in first
        assert "| A-LIM-901 The submit is rejected with 400 | FAIL | - |" in first


def parsed(reports: list[AuditReport]) -> Any:
    return MarkdownIt("commonmark").enable("table").parse(markdown(reports))


def count(tokens: Any, kind: str) -> int:
    return sum(token.type == kind for token in tokens)


class TestOutput:
    def test_failure_shows_observation_and_advice(self) -> None:
        report = every_verdict()
        text = "\n".join(output_of(report))

        assert case_line(report.cases[0]).plain.endswith("C-LIM-005 FAIL")
        assert "The client must not retry 400, 401 or 404" in text
        assert "seen    submit rejected with 400, retried 1 time" in text
        assert "change  Do not retry 400, 401, 402, 403 or 404" in text

    def test_failures_are_last(self) -> None:
        lines = output_of(every_verdict())
        verdicts = [line.split()[0] for line in lines if line and line[0] != " "]

        assert verdicts[:6] == ["SKIP", "INCONCLUSIVE", "to", "ERROR", "WARN", "FAIL"]

    @given(texts)
    def test_no_text_controls_the_terminal(self, text: str) -> None:
        report = report_with(text)
        lines = [case_line(case).plain for case in report.cases]

        assert all(line.isprintable() for line in [*lines, *output_of(report)])


def output_of(report: AuditReport) -> list[str]:
    return [entry.plain for entry in summary_entries(report)]
