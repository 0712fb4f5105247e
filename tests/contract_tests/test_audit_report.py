"""The report of an audit in four formats: nothing that a client does breaks any of them."""

import json
import re
import tempfile
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit
from contract_tests.client.reports.cases import unjudged_case
from contract_tests.client.reports.drawing import draw_timeline
from contract_tests.client.reports.files import read_audit, write_audit
from contract_tests.client.reports.junit import junit
from contract_tests.client.reports.markdown import markdown
from contract_tests.client.reports.page import html
from contract_tests.client.reports.report import AuditReport
from contract_tests.client.reports.timeline import MAX_MARKS
from contract_tests.client.situations import SITUATIONS
from contract_tests.command.audit_output import case_line, summary_entries
from contract_tests.command.schemas import audit_schema
from contract_tests.contract.errors import ReportError
from contract_tests.contract.provider import STATUS
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.evidence import (
    accepts_400,
    case_by_all_rules,
    case_of,
    exchange,
    full_timeline,
    rejected,
    report_of,
    retries_400,
    sends_nothing,
    task,
)
from tests.contract_tests.evidence_strategies import HOSTILE, evidence, texts
from tests.properties import examples

SCHEMA = Path(__file__).parents[2] / "fixtures" / "contract" / "audit.schema.json"


def gives_up_after_429() -> Evidence:
    return Evidence(exchanges=(rejected(1, 0, 429),), client_exit=ClientExit(exit_status=1))


def every_verdict(**given: Any) -> AuditReport:
    """Return a report with one case of each verdict."""
    return report_of(
        case_of(retries_400(), "A-LIM-901"),
        unjudged_case(SITUATIONS[0], Verdict.ERROR, "the mock failed"),
        case_of(sends_nothing(), "A-LIM-903"),
        case_of(gives_up_after_429(), "A-LIM-904", rules=("C-LIM-003",)),
        case_of(accepts_400(), "A-LIM-905"),
        unjudged_case(SITUATIONS[1], Verdict.SKIP, "not tested"),
        **given,
    )


def report_with(text: str) -> AuditReport:
    """Return a report in which this text is everything that a client can choose."""
    printable = text.encode("utf-8", "replace").decode()
    body = json.dumps({"input": {"prompt": text, text: text}, text: text})
    evidence = Evidence(
        exchanges=tuple(
            exchange(
                number, number, operation, body=body, error=text, path=f"{STATUS}?taskId={text}",
                headers=(("User-Agent", text), ("Content-Type", text), ("Authorization", text)),
                response_body=text,
            )
            for number, operation in enumerate(("submit", "status", "result"), 1)
        ),
        client_exit=ClientExit(exit_status=1, output=text),
    )  # fmt: skip
    nothing = Evidence(client_exit=ClientExit(exit_status=1, output=text))
    cases = (case_by_all_rules(evidence), case_of(nothing, f"A-{printable}", title=printable))
    return report_of(*cases, client=text)


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
        st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b'{"kind": "audit"}', b'"\xff"'])
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


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


class TestPage:
    @examples(30)
    @given(texts)
    def test_no_text_becomes_markup(self, text: str) -> None:
        harmless = Elements(html([report_with("a fox"), report_with("a fox")]))
        page = Elements(html([report_with(text), report_with(text)]))

        assert page.tags.count("script") == 1
        assert set(page.tags) <= set(harmless.tags)
        assert not any(name.startswith("on") or name == "style" for name, _ in page.attributes)
        links = {str(value) for name, value in page.attributes if name in {"href", "src"}}
        assert all(link.startswith("#") for link in links)

    @examples(30)
    @given(evidence)
    def test_every_link_has_exactly_one_target(self, evidence: Evidence) -> None:
        case = case_by_all_rules(evidence)
        page = Elements(html([report_of(case), report_of(case, case_of(accepts_400()))]))
        ids = [value for name, value in page.attributes if name == "id"]
        links = {unquote(str(value)) for name, value in page.attributes if name == "href"}

        assert len(ids) == len(set(ids))
        assert {link.removeprefix("#") for link in links} <= set(ids)

    def test_content_security_policy_allows_only_the_own_script(self) -> None:
        page = html([every_verdict()])
        (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        digest = b64encode(sha256(script.encode()).digest()).decode()
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)

        assert f"script-src &#39;sha256-{digest}&#39;" in policy
        assert "unsafe" not in policy


class TestDrawing:
    @given(evidence)
    def test_every_moment_has_a_mark_within_the_drawing(self, evidence: Evidence) -> None:
        (case,) = report_of(case_by_all_rules(evidence)).cases
        drawing = draw_timeline(case.timeline, {})

        assert sorted((dot.mark.at_s, dot.mark.label) for dot in drawing.dots) == sorted(
            (mark.at_s, mark.label) for mark in case.timeline
        )
        assert all(
            drawing.names_width <= dot.x <= drawing.width and 0 <= dot.y <= drawing.height
            for dot in drawing.dots
        )
        assert len(drawing.ticks) <= 11

    @given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
    def test_simultaneous_marks_do_not_overlap(self, instants: list[int]) -> None:
        evidence = Evidence(
            exchanges=tuple(
                exchange(number, at_s, "status") for number, at_s in enumerate(instants[:6])
            )
        )
        drawing = draw_timeline(case_by_all_rules(evidence).timeline, {})

        places = [(dot.x, dot.y) for dot in drawing.dots]
        assert len(places) == len(set(places))

    def test_violated_rules_stand_above_their_mark(self) -> None:
        case = case_by_all_rules(full_timeline())
        drawing = draw_timeline(case.timeline, {4: ("C-POLL-002",), 11: ("C-RES-005", "C-X")})
        marks = {dot.mark.event: dot.x for dot in drawing.dots}

        assert {(flag.text, flag.x) for flag in drawing.flags} == {
            ("C-POLL-002", marks[4]),
            ("C-RES-005, C-X", marks[11]),
        }
        assert min(dot.y for dot in drawing.dots) > max(flag.y for flag in drawing.flags)

    def test_late_mark_that_violates_a_rule_is_shown(self) -> None:
        late = MAX_MARKS + 200
        patient = [exchange(number, 20 + 4 * number, "status") for number in range(2, late)]
        hasty = exchange(late, 20 + 4 * late - 3.9, "status")
        in_progress = task("processing")
        evidence = Evidence(exchanges=(exchange(1, 0), *patient, hasty), tasks=(in_progress,))
        case = case_of(evidence, rules=("C-POLL-002",))

        assert case.findings[0].event == late
        assert [mark.event for mark in case.timeline][-2:] == [MAX_MARKS, late]


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
