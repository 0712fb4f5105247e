"""The report of an audit, in four forms: none of them is broken by what a client does."""

import json
import re
import tempfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from contract_tests.audit.evidence import Ended, Evidence, Exchange, TaskSeen
from contract_tests.audit.report import AuditReport, left_out
from contract_tests.audit.situations import SITUATIONS
from contract_tests.audit.story import MARKS
from contract_tests.command.audit_lines import case_line, summary_lines
from contract_tests.reports import BadReport
from contract_tests.reports.audit import read_audit, write_audit, write_matrix
from contract_tests.reports.audit_drawing import drawing_of
from contract_tests.reports.audit_junit import junit
from contract_tests.reports.audit_markdown import markdown
from contract_tests.reports.audit_page import html
from contract_tests.reports.schema import audit_schema
from contract_tests.verdicts import Verdict
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
            with pytest.raises(BadReport, match=r"report\.json: "):
                read_audit(Path(name))

    def test_is_refused_when_it_is_of_another_version(self, tmp_path: Path) -> None:
        write_audit(msgspec.structs.replace(every_verdict(), version=9), tmp_path)

        with pytest.raises(BadReport, match="version 9, not 1"):
            read_audit(tmp_path)


# What a mock answers is well-formed; what a client sends is anything.
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
answers = st.one_of(
    st.sampled_from(["", "<html>", "{"]),
    st.builds(
        lambda state, code: json.dumps({"data": {"state": state, "failCode": code}}),
        st.sampled_from(["pending", "processing", "success", "failed", "dreaming"]),
        texts,
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
        st.sampled_from(["refuse 429", "wire close", "callback drop", "callback garbage",
                         "callback forged-id", "meaning unknown-state", "result-truncated"]) | texts,
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


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(evidence, texts)
def test_whatever_a_client_has_done_can_be_written_in_all_forms_and_read(
    evidence: Evidence, client: str
) -> None:
    report = report_of(case_by_all_rules(evidence), client=client)

    assert read_back(report) == report
