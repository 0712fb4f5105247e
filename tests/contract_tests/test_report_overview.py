"""Reports begin with what was tested and when, and show the most urgent findings first."""

import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.client.reports import order as order_of_rules
from contract_tests.client.reports.files import read_audit, write_audit
from contract_tests.client.reports.markdown import markdown as audit_markdown
from contract_tests.client.reports.page import html as audit_html
from contract_tests.client.reports.report import AuditReport, RuleResult
from contract_tests.client.rule import Axis, Level
from contract_tests.contract.report_parts import Counts
from contract_tests.contract.run_facts import RunFacts, Stopwatch, shown_facts
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports import order as order_of_clauses
from contract_tests.server.reports.files import read_report, write_reports
from contract_tests.server.reports.markdown import markdown
from contract_tests.server.reports.page import html
from contract_tests.server.reports.report import ClauseResult, Report
from tests.contract_tests.commands import contract_tests
from tests.contract_tests.evidence import accepts_400, case_of, report_of, retries_400
from tests.contract_tests.fakes import a_case, find, judged
from tests.contract_tests.fakes import report_of as server_report_of

FACTS = RunFacts(started_at="2026-11-27T22:50:13Z", duration_s=200.4, kit_version="1.2.3")
SHOWN = {"Date": "2026-11-27 22:50 UTC", "Duration": "3 min 20 s", "Version": "apixo-testkit 1.2.3"}
ASKS_FOR_ITS_BALANCE = """
import os, urllib.request

url = os.environ["APIXO_BASE_URL"] + "/api/v1/apikeys/current-balance"
key = {"Authorization": "Bearer " + os.environ["APIXO_API_KEY"]}
urllib.request.urlopen(urllib.request.Request(url, headers=key))
"""
verdicts = st.sampled_from(Verdict)


def a_server_report() -> Report:
    report = server_report_of(
        judged(a_case(find(holds=False), case_id="S-SUB-901")).result,
        judged(
            a_case(find(holds=False, clause="BIL-1"), clauses=("BIL-1",), case_id="S-BIL-902")
        ).result,
    )
    return msgspec.structs.replace(report, run=FACTS)


def an_audit() -> AuditReport:
    report = report_of(case_of(accepts_400(), "A-LIM-901"), case_of(retries_400(), "A-LIM-902"))
    return msgspec.structs.replace(report, run=FACTS)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class TestFacts:
    @pytest.mark.parametrize(
        ("duration_s", "text"), [(4.24, "4.2 s"), (59.4, "59.4 s"), (59.6, "1 min 0 s")]
    )
    def test_duration_is_shown_in_seconds_or_minutes(self, duration_s: float, text: str) -> None:
        assert dict(shown_facts(RunFacts(duration_s=duration_s))) == {"Duration": text}

    def test_all_facts_are_shown(self) -> None:
        assert dict(shown_facts(FACTS)) == SHOWN

    def test_stopwatch_knows_date_and_version(self) -> None:
        facts = Stopwatch().facts()

        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", facts.started_at)
        assert facts.kit_version
        assert facts.duration_s >= 0

    @pytest.mark.parametrize("page", [html(a_server_report()), markdown(a_server_report())])
    def test_report_of_a_run_begins_with_them(self, page: str) -> None:
        head = text_of(page).partition("BIL-1")[0]

        for label, text in {"Target": "http://127.0.0.1:1", "Seed": "1 ", **SHOWN}.items():
            assert re.search(rf"{label}:? {re.escape(text)}", head), (label, head)

    @pytest.mark.parametrize("page", [audit_html([an_audit()]), audit_markdown([an_audit()])])
    def test_report_of_an_audit_begins_with_them(self, page: str) -> None:
        head = text_of(page).partition("C-LIM-005")[0]
        facts = {"Client": "python client.py", "Target": "mock at ", "Seed": "1 ", **SHOWN}

        for label, text in facts.items():
            assert re.search(rf"{label}:? {re.escape(text)}", head), (label, head)

    def test_junit_has_date_version_and_seed(self, tmp_path: Path) -> None:
        write_reports(a_server_report(), tmp_path / "run")
        write_audit(an_audit(), tmp_path / "audit")
        for name in ("run", "audit"):
            (suite,) = ET.parse(tmp_path / name / "junit.xml").getroot()
            properties = {
                each.get("name"): each.get("value") for each in suite.iterfind("properties/*")
            }

            assert suite.get("timestamp") == FACTS.started_at
            assert suite.get("time") == "200.400"
            assert properties["version"] == "apixo-testkit 1.2.3"
            assert properties["seed"] == "1"

    def test_report_without_the_new_members_can_be_read(self, tmp_path: Path) -> None:
        write_reports(a_server_report(), tmp_path / "run")
        write_audit(an_audit(), tmp_path / "audit")
        for name in ("run", "audit"):
            path = tmp_path / name / "report.json"
            report = json.loads(path.read_bytes())
            for member in ("run", "selection"):
                del report[member]
            del report["summary"]["clauses"]
            path.write_text(json.dumps(report), "utf-8")

        assert html(read_report(tmp_path / "run"))
        assert audit_html([read_audit(tmp_path / "audit")])


class TestCounts:
    def test_cases_and_clauses_of_a_run_are_labelled(self) -> None:
        text = text_of(html(a_server_report()))

        assert "Cases 2 2 FAIL" in text
        assert re.search(r"Clauses 66 2 FAIL .* 2 of 62 testable clauses covered", text)

    def test_cases_rules_and_clauses_of_an_audit_are_labelled(self) -> None:
        text = text_of(audit_html([an_audit()]))

        assert "Cases 2 1 FAIL 1 PASS" in text
        assert re.search(r"Rules \d+ 1 FAIL", text)
        assert re.search(r"Clauses \d+ 5 FAIL", text)

    @given(st.lists(verdicts))
    def test_counts_add_up_to_the_total(self, found: list[Verdict]) -> None:
        counts = Counts.of("Cases", found)

        assert sum(number for _, number in counts.verdicts) == counts.total == len(found)
        assert counts.text.startswith(str(len(found)))


class TestOrder:
    def test_run_shows_failed_clauses_about_money_first(self) -> None:
        page = html(a_server_report())

        assert re.findall(r'<article id="([^"]+)"', page)[:2] == ["BIL-1", "SUB-1"]
        assert markdown(a_server_report()).index("S-BIL-902") < markdown(a_server_report()).index(
            "S-SUB-901"
        )

    @given(st.lists(st.tuples(verdicts, st.sampled_from(["BIL-1", "SUB-1", "FAIL-5"]))))
    def test_worse_clause_is_never_below_a_better_one(
        self, found: list[tuple[Verdict, str]]
    ) -> None:
        clauses = [
            ClauseResult(id=name, text="", certainty="seed", level="MUST", verdict=verdict)
            for verdict, name in found
        ]
        shown = order_of_clauses.clauses_by_urgency(clauses)

        keys = [(list(Verdict).index(each.verdict), each.id == "SUB-1") for each in shown]
        assert keys == sorted(keys)

    @given(st.lists(st.tuples(verdicts, st.sampled_from(["C-PAY-001", "C-RES-001", "C-LIM-001"]))))
    def test_rules_about_paying_twice_are_above_results_and_manners(
        self, found: list[tuple[Verdict, str]]
    ) -> None:
        place = {"C-PAY-001": 0, "C-RES-001": 1, "C-LIM-001": 2}
        shown = order_of_rules.rules_by_urgency(a_rule(*each) for each in found)

        keys = [(list(Verdict).index(each.verdict), place[each.id]) for each in shown]
        assert keys == sorted(keys)


def a_rule(verdict: Verdict, rule_id: str) -> RuleResult:
    axis = Axis.OUTCOME if rule_id == "C-RES-001" else Axis.MANNERS
    return RuleResult(
        id=rule_id, title="", clauses=(), axis=axis, level=Level.MUST, verdict=verdict
    )


class TestSelection:
    def test_report_of_a_selection_has_only_its_clauses(self, tmp_path: Path) -> None:
        ended = contract_tests("run", "--select", "S-SUB-011", "--report", tmp_path)
        report = read_report(tmp_path)
        (case,) = report.cases

        assert ended.returncode == 0, ended.stdout
        assert report.selection == ("--select S-SUB-011",)
        assert {clause.id for clause in report.clauses} == set(case.clauses)
        assert report.summary.clauses_testable == len(report.clauses)
        assert report.run.duration_s > 0
        assert "Selection --select S-SUB-011" in text_of(html(report))

    def test_report_of_a_selected_rule_has_only_this_rule(self, tmp_path: Path) -> None:
        client = tmp_path / "client.py"
        client.write_text(ASKS_FOR_ITS_BALANCE, "utf-8")
        words = ("--select", "C-REQ-006", "--report", tmp_path / "audit")
        contract_tests("audit", "--exec", f"{sys.executable} {client}", *words)
        report = read_audit(tmp_path / "audit")
        page: Any = text_of(audit_html([report]))

        assert [rule.id for rule in report.rules] == ["C-REQ-006"]
        assert {clause.id for clause in report.clauses} == {"STA-1"}
        assert report.selection == ("--select C-REQ-006",)
        assert "C-POLL-001" not in page
