"""One report, four forms: none of them is broken by what a server says."""

import json
import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from contract_tests.command.run_output import result_line, result_text, summary_entries
from contract_tests.command.schemas import report_schema
from contract_tests.contract.errors import ReportError
from contract_tests.server.events import Response
from contract_tests.server.probe import Probe
from contract_tests.server.reports.files import read_report, write_reports
from contract_tests.server.reports.junit import junit
from contract_tests.server.reports.markdown import markdown
from contract_tests.server.reports.page import html
from contract_tests.server.reports.report import Report
from contract_tests.server.runner import CaseRun
from tests.contract_tests.fakes import REGISTER, FakeWorld, a_case, find, judged, report_of
from tests.properties import examples

SCHEMA = Path(__file__).parents[2] / "fixtures" / "contract" / "report.schema.json"
NO_JSON = (b"[]", b'{"a":"\xff"}', b'{"a":' + b"[" * 100_000, b'{"version":' + b"1" * 10_000)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \"'`&amp; | a\n| b |"
texts = st.text(st.characters(codec=None), max_size=60) | st.just(HOSTILE)


def said(text: str) -> CaseRun:
    """Return what came of a case in which everything that can hold a text holds this one."""

    def run(probe: Probe) -> None:
        answer = probe.submit(prompt=text)
        probe.check("SUB-1", holds=False, expected=text, seen=text, at=answer)
        probe.check("STA-4", holds=False, expected=text, seen=answer)

    body, sound = text.encode("utf-8", "surrogatepass"), text.encode("utf-8", "replace").decode()
    world = FakeWorld(lambda _: Response(status=200, headers=(("X-Said", sound),), body=body))
    case = a_case(run, clauses=("SUB-1", "STA-4"), title=sound)
    return judged(case, world, expected_failures={case.id: case.title} if text.strip() else {})


def every_verdict() -> Report:
    return report_of(
        judged(a_case(find(holds=True), case_id="S-SUB-901")).result,
        judged(a_case(find(holds=False), case_id="S-SUB-902")).result,
        judged(a_case(lambda _: None, case_id="S-SUB-903")).result,
        judged(
            a_case(case_id="S-SUB-904"), FakeWorld(lambda _: Response(status=0, error="x"))
        ).result,
        judged(a_case(case_id="S-SUB-905"), skips=lambda _: "not today").result,
        judged(
            a_case(find(holds=False, clause="SUB-8"), clauses=("SUB-8",), case_id="S-SUB-906"),
            is_live=True,
        ).result,
        judged(
            a_case(find(holds=False), case_id="S-SUB-907"), expected_failures={"S-SUB-907": "known"}
        ).result,
    )


def test_the_schema_that_is_shipped_is_that_of_the_report() -> None:
    assert SCHEMA.read_bytes() == report_schema(), "run: make docs"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_bytes()))


def test_a_report_fits_its_schema() -> None:
    report = msgspec.json.decode(msgspec.json.encode(every_verdict()))

    jsonschema.validate(report, json.loads(SCHEMA.read_bytes()))


@pytest.mark.parametrize("member", ["cases", "clauses", "summary", "version"])
def test_a_report_that_lacks_something_does_not_fit(member: str) -> None:
    report = msgspec.json.decode(msgspec.json.encode(every_verdict()))
    del report[member]

    with pytest.raises(jsonschema.ValidationError, match=member):
        jsonschema.validate(report, json.loads(SCHEMA.read_bytes()))


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    report = report_of(said("a fox").result)
    write_reports(report, tmp_path / "new" / "folder")

    assert read_report(tmp_path / "new" / "folder") == report
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"report.json", "report.html", "junit.xml", "summary.md"}


@given(st.binary(max_size=60) | st.sampled_from([b"{}", b'{"version": 2}', *NO_JSON]))
def test_a_damaged_report_is_refused_with_its_name(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "report.json").write_bytes(content)
        with pytest.raises(ReportError, match=r"report\.json: "):
            read_report(Path(name))


def test_a_report_of_another_version_is_refused(tmp_path: Path) -> None:
    write_reports(msgspec.structs.replace(every_verdict(), version=9), tmp_path)

    with pytest.raises(ReportError, match="version 9 is not supported; must be 1"):
        read_report(tmp_path)


@example("a lone \ud800 out of JSON")
@given(texts)
def test_any_text_that_a_server_says_can_be_written(text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        write_reports(report_of(said(text).result), Path(name))


@given(texts)
def test_junit_names_cases_and_clauses_whatever_was_said(text: str) -> None:
    root = ET.fromstring(junit(report_of(said(text).result)))
    (case,) = root.iter("testcase")
    clauses = [each.get("value") for each in case.iter("property") if each.get("name") == "clause"]

    assert case.get("name") == "S-SUB-901"
    assert clauses == ["SUB-1", "STA-4"]


def test_junit_counts_what_a_ci_server_counts() -> None:
    root = ET.fromstring(junit(every_verdict()))
    (suite,) = root.iter("testsuite")
    ends = {
        case.get("name"): [each.tag for each in case if each.tag != "properties"]
        for case in root.iter("testcase")
    }

    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "7", "failures": "1", "errors": "2", "skipped": "2"}
    assert ends == {
        "S-SUB-901": [],
        "S-SUB-902": ["failure"],
        "S-SUB-903": ["error"],
        "S-SUB-904": ["error"],
        "S-SUB-905": ["skipped"],
        "S-SUB-906": ["system-out"],
        "S-SUB-907": ["skipped"],
    }


@given(texts)
def test_no_text_breaks_a_table_of_the_summary(text: str) -> None:
    result = msgspec.structs.replace(said(text).result, expected_failure="")
    page = markdown(report_of(result))
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    headings = [token.level for token in tokens if token.type == "heading_open"]
    rows = sum(token.type == "tr_open" for token in tokens)
    cells = sum(token.type in {"td_open", "th_open"} for token in tokens)

    assert len(headings) == 3
    found = len(result.findings)
    assert rows == 1 + found + 1 + len(REGISTER)
    assert cells == 4 * (1 + found) + 3 * (1 + len(REGISTER))
    assert not any(token.type in {"html_block", "code_block", "fence"} for token in tokens)
    inline = [child.type for token in tokens for child in token.children or ()]
    assert set(inline) <= {"text", "text_special", "entity", "softbreak"}


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@examples(40)
@given(texts)
def test_no_text_becomes_a_part_of_the_page(text: str) -> None:
    harmless, page = Elements(), Elements()
    harmless.feed(html(report_of(said("a fox").result)))
    page.feed(html(report_of(said(text).result)))

    assert page.tags.count("script") == 1
    assert set(page.tags) == set(harmless.tags)
    assert not any(name.startswith("on") for name in page.attributes)


def test_the_page_asks_nothing_of_the_network() -> None:
    page = html(every_verdict())

    assert "default-src 'none'" in page
    assert not re.search(r"<(link|img|iframe|script)\b[^>]*(src|href)", page)


class TestTheOutput:
    def test_ends_with_how_much_was_exercised(self) -> None:
        *_, covered, skipped = summary_lines(every_verdict())

        testable = sum(clause.testable for clause in REGISTER)
        assert skipped.startswith("skipped ")
        assert covered == f"2 of {testable} testable clauses covered"

    def test_tells_of_a_failure_what_was_expected_and_seen(self) -> None:
        text = result_text(judged(a_case(find(holds=False))).result, REGISTER)

        assert text.startswith("FAIL")
        assert f"SUB-1: {REGISTER['SUB-1'].text} (stated by the provider's model page)" in text
        assert "expected  that it holds" in text
        assert "seen      that it is False" in text

    @given(texts)
    def test_leaves_the_terminal_alone(self, text: str) -> None:
        result = said(text).result

        assert all(line.isprintable() for line in result_text(result, REGISTER).split("\n"))
        assert result_line(result).plain.isprintable()

    def test_names_the_clauses_that_are_not_kept(self) -> None:
        lines = list(summary_lines(every_verdict()))

        assert "FAIL clauses: SUB-1" in lines
        assert "WARN clauses: SUB-8" in lines
        assert "2 FAIL" in lines[-3]

    def test_failures_are_last(self) -> None:
        words = [line.split() for line in summary_lines(every_verdict())]
        cases = [each[0] for each in words if len(each) > 1 and each[1].startswith("S-")]

        assert list(dict.fromkeys(cases)) == ["INCONCLUSIVE", "WARN", "ERROR", "FAIL", "skipped"]

    def test_the_last_lines_say_once_per_reason_what_was_skipped(self) -> None:
        skipped = [
            judged(a_case(case_id=f"S-SUB-90{number}"), skips=lambda _: "no control plane").result
            for number in range(3)
        ]
        budget = [
            judged(
                a_case(case_id=f"S-STA-90{number}", clauses=("STA-5",)),
                skips=lambda _, left=number: f"costs $1, but only ${left} of the budget is left",
            ).result
            for number in range(2)
        ]
        covered = judged(a_case(case_id="S-STA-903", clauses=("STA-5",))).result

        assert summary_lines(report_of(*skipped, *budget, covered))[-2:] == [
            "skipped 3 cases, 1 clause not covered: no control plane",
            "skipped 2 cases: cost more than is left; raise --budget",
        ]


def summary_lines(report: Report) -> list[str]:
    return [entry.plain for entry in summary_entries(report, REGISTER)]
