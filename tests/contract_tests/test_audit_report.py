"""The report of an audit, in four forms: none of them is broken by what a client does."""

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
from contract_tests.client.exchange import Ended, Exchange, TaskSeen
from contract_tests.client.reports.drawing import drawing_of
from contract_tests.client.reports.files import read_audit, write_audit
from contract_tests.client.reports.junit import junit
from contract_tests.client.reports.markdown import markdown
from contract_tests.client.reports.page import html
from contract_tests.client.reports.report import AuditReport, left_out
from contract_tests.client.reports.timeline import MARKS
from contract_tests.client.situations import SITUATIONS
from contract_tests.command.audit_output import case_line, summary_lines
from contract_tests.command.schemas import audit_schema
from contract_tests.contract.errors import ReportError
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.evidence import (
    API,
    STATUS,
    a_whole_story,
    case_by_all_rules,
    case_of,
    exchange,
    refused,
    report_of,
    retries_400,
    takes_400,
)
from tests.properties import examples

SCHEMA = Path(__file__).parents[2] / "fixtures" / "contract" / "audit.schema.json"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \"'`&amp; | a\n| b |"
texts = st.text(st.characters(codec=None), max_size=60) | st.just(HOSTILE)


def gives_up() -> Evidence:
    return Evidence(exchanges=(refused(1, 0, 429),), ended=Ended(exit_status=1))


def every_verdict(**given: Any) -> AuditReport:
    """Return a report with one case of each verdict."""
    return report_of(
        case_of(retries_400(), "A-LIM-901"),
        left_out(SITUATIONS[0], Verdict.ERROR, "the mock did not do its part"),
        case_of(Evidence(ended=Ended(exit_status=0)), "A-LIM-903"),
        case_of(gives_up(), "A-LIM-904", rules=("C-LIM-003",)),
        case_of(takes_400(), "A-LIM-905"),
        left_out(SITUATIONS[1], Verdict.SKIP, "not today"),
        **given,
    )


def said(text: str) -> AuditReport:
    """Return a report in which everything that a client chooses is this text."""
    sound = text.encode("utf-8", "replace").decode()
    body = json.dumps({"input": {"prompt": text, text: text}, text: text})
    evidence = Evidence(
        exchanges=tuple(
            exchange(
                number, number, operation, body=body, error=text, path=f"{STATUS}?taskId={text}",
                headers=(("User-Agent", text), ("Content-Type", text), ("Authorization", text)),
                answer_body=text,
            )
            for number, operation in enumerate(("submit", "status", "result"), 1)
        ),
        ended=Ended(exit_status=1, output=text),
    )  # fmt: skip
    nothing = Evidence(ended=Ended(exit_status=1, output=text))
    cases = (case_by_all_rules(evidence), case_of(nothing, f"A-{sound}", title=sound))
    return report_of(*cases, client=text)


def read_back(report: AuditReport) -> AuditReport:
    with tempfile.TemporaryDirectory() as name:
        write_audit(report, Path(name))
        assert len(list(Path(name).iterdir())) == 4
        return read_audit(Path(name))


class TestJson:
    def test_its_schema_that_is_shipped_is_the_true_one(self) -> None:
        assert SCHEMA.read_bytes() == audit_schema(), "run: make docs"

    def test_its_schema_is_one(self) -> None:
        jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_bytes()))

    @pytest.mark.parametrize("report", [every_verdict(), report_of(), said(HOSTILE)])
    def test_fits_its_schema(self, report: AuditReport) -> None:
        jsonschema.validate(
            json.loads(msgspec.json.encode(report)), json.loads(SCHEMA.read_bytes())
        )

    @pytest.mark.parametrize("member", ["cases", "rules", "clauses", "summary", "client"])
    def test_does_not_fit_its_schema_when_something_lacks(self, member: str) -> None:
        report = json.loads(msgspec.json.encode(every_verdict()))
        del report[member]

        with pytest.raises(jsonschema.ValidationError, match=member):
            jsonschema.validate(report, json.loads(SCHEMA.read_bytes()))

    def test_a_report_has_a_case_of_each_verdict(self) -> None:
        assert [case.verdict for case in every_verdict().cases] == list(Verdict)

    @given(
        st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b'{"kind": "audit"}', b'"\xff"'])
    )
    def test_is_refused_with_its_name_when_it_is_damaged(self, content: bytes) -> None:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "report.json").write_bytes(content)
            with pytest.raises(ReportError, match=r"report\.json: "):
                read_audit(Path(name))

    def test_is_refused_when_it_is_of_another_version(self, tmp_path: Path) -> None:
        write_audit(msgspec.structs.replace(every_verdict(), version=9), tmp_path)

        with pytest.raises(ReportError, match="version 9, not 1"):
            read_audit(tmp_path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
inputs = st.dictionaries(
    st.sampled_from(["mode", "prompt", "num_images"]) | texts, values, max_size=3
)
bodies = st.one_of(
    texts,
    values.map(json.dumps),
    st.fixed_dictionaries({"input": inputs}, optional={"request_type": values}).map(json.dumps),
)
states = st.sampled_from(["pending", "processing", "success", "failed", "dreaming"])
answers = st.one_of(
    st.sampled_from(["", "<html>", "{"]),
    st.builds(
        lambda state, code: json.dumps({"data": {"state": state, "failCode": code}}),
        states | values,
        values,
    ),
)
headers = st.lists(
    st.tuples(st.sampled_from(["Authorization", "User-Agent", "content-type", "X"]), texts),
    max_size=3,
).map(tuple)
ids = st.sampled_from(["task_1", "task_2", "task+=&", ""])
instants = st.integers(0, 10**13)
exchanges = st.builds(
    Exchange,
    number=st.integers(0, 50),
    at_ms=instants,
    operation=st.sampled_from(["submit", "status", "result", "balance", "callback"]) | texts,
    task_id=ids,
    status=st.sampled_from([0, 200, 206, 400, 401, 404, 429, 500, 503]),
    duration_ms=st.floats(0, 1e6),
    injected=st.frozensets(
        texts | st.sampled_from(["refuse 429", "wire close", "callback drop", "callback garbage",
                                 "callback forged-id", "meaning unknown-state"]),
        max_size=2,
    ),
    error=texts,
    method=st.sampled_from(["GET", "POST", "HEAD"]) | texts,
    path=st.sampled_from([API, STATUS]).flatmap(
        lambda path: st.builds("{}?taskId={}".format, st.just(path), ids | texts)
    ),
    headers=headers,
    body=bodies,
    answer_headers=st.sampled_from(
        [(), (("Retry-After", "5"),), (("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),)]
    ),
    answer_body=answers,
)  # fmt: skip
tasks = st.builds(
    TaskSeen,
    id=ids,
    num_images=st.integers(1, 4),
    created_ms=instants,
    state=st.sampled_from(["pending", "processing", "success", "failed"]),
    ended_ms=st.none() | instants,
    fail_code=st.none() | texts,
    result_urls=st.lists(st.just("http://127.0.0.1:1/results/task_1/0.png"), max_size=2).map(tuple),
)
evidence = st.builds(
    Evidence,
    exchanges=st.lists(exchanges, max_size=6).map(tuple),
    tasks=st.lists(tasks, max_size=3).map(tuple),
    ended=st.none()
    | st.builds(
        Ended,
        exit_status=st.integers(-15, 255),
        output=texts,
        timed_out=st.booleans(),
        after_s=st.floats(0, 1e6),
    ),
    dropped=st.integers(0, 2),
    is_manual=st.booleans(),
    unauthorized=st.integers(0, 2),
)


@examples(60)
@example(
    Evidence(exchanges=(exchange(1, 0, body='{"input": {"mode": [], "\\ud800": 1}}'),)), "\udcff"
)
@given(evidence, texts)
def test_whatever_a_client_has_done_can_be_written_in_all_forms_and_read(
    evidence: Evidence, client: str
) -> None:
    report = report_of(case_by_all_rules(evidence), client=client)

    assert read_back(report) == report


class TestJunit:
    @given(texts)
    def test_names_cases_and_clauses_whatever_a_client_does(self, text: str) -> None:
        report = said(text)
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
    def test_counts_what_a_ci_server_counts(
        self, *, strict: bool, failures: str, warned: str
    ) -> None:
        root = ET.fromstring(junit(every_verdict(strict=strict)))
        (suite,) = root.iter("testsuite")
        ends = [
            [each.tag for each in case if each.tag != "properties"]
            for case in root.iter("testcase")
        ]

        counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counts == {"tests": "6", "failures": failures, "errors": "2", "skipped": "1"}
        assert ends == [["failure"], ["error"], ["error"], [warned], [], ["skipped"]]

    def test_tells_what_to_change(self) -> None:
        (failure,) = ET.fromstring(junit(every_verdict())).iter("failure")

        assert "Do not retry 400, 401 and 404" in str(failure.text)


class TestMarkdown:
    @example("a lone \ud800 out of JSON")
    @given(texts)
    def test_no_text_breaks_a_table(self, text: str) -> None:
        harmless, tokens = parsed([said("a fox"), said("a fox")]), parsed([said(text), said(text)])

        assert count(tokens, "heading_open") == count(harmless, "heading_open")
        rows = count(tokens, "tr_open")
        cells = count(tokens, "td_open") + count(tokens, "th_open")
        assert rows >= 2 * 2
        assert cells == 3 * rows
        assert not any(token.type in {"html_block", "code_block", "fence"} for token in tokens)
        inline = {child.type for token in tokens for child in token.children or ()}
        assert inline <= {"text", "text_special", "entity", "softbreak"}

    def test_tells_first_what_to_change(self) -> None:
        page = markdown([every_verdict()])

        assert "| C-LIM-005 " in page.partition("## WARN")[0]
        assert "Do not retry 400, 401 and 404" in page

    def test_of_several_begins_with_the_matrix(self) -> None:
        page = markdown([every_verdict(), report_of(case_of(takes_400()), client="other")])
        first = page.partition("\n# Audit of python")[0].splitlines()

        assert first[0] == "# Audit of 2 clients"
        assert "| A-LIM-005 the submit is refused with 400 | - | PASS |" in first
        assert "| A-LIM-901 the submit is refused with 400 | FAIL | - |" in first


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
    def test_no_text_becomes_a_part_of_it(self, text: str) -> None:
        harmless = Elements(html([said("a fox"), said("a fox")]))
        page = Elements(html([said(text), said(text)]))

        assert page.tags.count("script") == 1
        assert set(page.tags) <= set(harmless.tags)
        assert not any(name.startswith("on") or name == "style" for name, _ in page.attributes)
        links = {str(value) for name, value in page.attributes if name in {"href", "src"}}
        assert all(link.startswith("#") for link in links)

    @examples(30)
    @given(evidence)
    def test_every_link_leads_to_a_place_of_its_own(self, evidence: Evidence) -> None:
        numbered = [msgspec.structs.replace(each, number=number)
                    for number, each in enumerate(evidence.exchanges)]  # fmt: skip
        case = case_by_all_rules(msgspec.structs.replace(evidence, exchanges=tuple(numbered)))
        page = Elements(html([report_of(case), report_of(case, case_of(takes_400()))]))
        ids = [value for name, value in page.attributes if name == "id"]
        links = {unquote(str(value)) for name, value in page.attributes if name == "href"}

        assert len(ids) == len(set(ids))
        assert {link.removeprefix("#") for link in links} <= set(ids)

    def test_lets_nothing_run_but_its_own_script(self) -> None:
        page = html([every_verdict()])
        (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        digest = b64encode(sha256(script.encode()).digest()).decode()
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)

        assert f"script-src &#39;sha256-{digest}&#39;" in policy
        assert "unsafe" not in policy


class TestDrawing:
    @given(evidence)
    def test_has_a_mark_for_each_moment_within_its_bounds(self, evidence: Evidence) -> None:
        (case,) = report_of(case_by_all_rules(evidence)).cases
        drawing = drawing_of(case.timeline, {})

        assert sorted((dot.mark.at_s, dot.mark.label) for dot in drawing.dots) == sorted(
            (mark.at_s, mark.label) for mark in case.timeline
        )
        assert all(
            drawing.left <= dot.x <= drawing.width and 0 <= dot.y <= drawing.height
            for dot in drawing.dots
        )
        assert len(drawing.ticks) <= 11

    @given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
    def test_marks_that_coincide_do_not_cover_each_other(self, instants: list[int]) -> None:
        evidence = Evidence(
            exchanges=tuple(
                exchange(number, at_s, "status") for number, at_s in enumerate(instants[:6])
            )
        )
        drawing = drawing_of(case_by_all_rules(evidence).timeline, {})

        places = [(dot.x, dot.y) for dot in drawing.dots]
        assert len(places) == len(set(places))

    def test_names_the_rules_above_the_mark_that_breaks_them(self) -> None:
        case = case_by_all_rules(a_whole_story())
        drawing = drawing_of(case.timeline, {4: ("C-POLL-002",), 11: ("C-RES-005", "C-X")})
        marks = {dot.mark.event: dot.x for dot in drawing.dots}

        assert {(flag.text, flag.x) for flag in drawing.flags} == {
            ("C-POLL-002", marks[4]),
            ("C-RES-005, C-X", marks[11]),
        }
        assert min(dot.y for dot in drawing.dots) > max(flag.y for flag in drawing.flags)

    def test_has_the_mark_that_breaks_a_rule_however_late_it_comes(self) -> None:
        late = MARKS + 200
        patient = [exchange(number, 20 + 4 * number, "status") for number in range(2, late)]
        hasty = exchange(late, 20 + 4 * late - 3.9, "status")
        task = TaskSeen(id="task_1", num_images=1, created_ms=0, state="processing")
        evidence = Evidence(exchanges=(exchange(1, 0), *patient, hasty), tasks=(task,))
        case = case_of(evidence, rules=("C-POLL-002",))

        assert case.findings[0].event == late
        assert [mark.event for mark in case.timeline][-2:] == [MARKS, late]


class TestTheOutput:
    def test_tells_of_a_failure_what_was_seen_and_what_to_change(self) -> None:
        report = every_verdict()

        assert "400 on submit: sent 1 times again" in case_line(report.cases[0])
        assert any("Do not retry 400, 401 and 404" in line for line in summary_lines(report))

    @given(texts)
    def test_leaves_the_terminal_alone(self, text: str) -> None:
        report = said(text)
        lines = [line for case in report.cases for line in case_line(case).split("\n")]

        assert all(line.isprintable() for line in [*lines, *summary_lines(report)])
